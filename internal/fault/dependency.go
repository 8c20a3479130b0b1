package fault

import "errors"

// Passes reports whether errors of the kind pass by themselves, so that it is
// worth trying again later.
func (k Kind) Passes() bool { return k == Transient || k == RateLimited || k == Busy }

// From says which dependency's trouble err is. An error that does not pass by
// waiting, or that names a dependency already, stays as it is.
func From(dependency string, err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || !e.Kind.Passes() || nameIn(err) != "" {
		return err
	}
	return &Error{Kind: e.Kind, RetryAt: e.RetryAt, Dependency: dependency, Err: err}
}

// DependencyOf is the dependency whose trouble err is, where that passes by
// waiting; "" for any other error.
func DependencyOf(err error) string {
	if !KindOf(err).Passes() {
		return ""
	}
	return nameIn(err)
}

// nameIn is the outermost dependency that is named in err's chain.
func nameIn(err error) string {
	for err != nil {
		e, ok := errors.AsType[*Error](err)
		if !ok {
			return ""
		}
		if e.Dependency != "" {
			return e.Dependency
		}
		err = e.Err
	}
	return ""
}
