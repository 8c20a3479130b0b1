// Package osv asks the OSV database which versions of packages are vulnerable
// or malicious (https://osv.dev): over its API, or in a copy on the disk, as
// OSV publishes it for those who may not ask.
//
// It answers for single versions, with what the database says. Which versions
// to ask about, and what the answer means for a change, it leaves to others;
// so it does breakers and retries, which stand in front of it.
package osv

import "assay/internal/fault"

// Dependency names the API in errors, breakers and metrics.
const Dependency = "osv"

// trouble gives an error of the API its kind and its name.
func trouble(kind fault.Kind, err error) error {
	return fault.From(Dependency, fault.New(kind, err))
}
