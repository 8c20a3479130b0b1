package secrets

import (
	"regexp"
	"strings"

	"assay/agents"
	"assay/review"
)

// severityOf says how much a rule's matches matter by how sure the rule is.
//
//   - A format of its own ("ghp_…", a PEM block) can hardly be anything else:
//     critical.
//   - A value known only by a vendor's name beside it: high.
//   - A guess (anything random that is called a key), and what is often
//     harmless where it stands (a JWT in a document): medium.
//   - An identifier that is public by design: low.
func severityOf(id, regex string) review.Severity {
	switch {
	case regex == "" && !guesses[id]:
		return review.Medium // a path alone proves little
	case publicByDesign.MatchString(id):
		return review.Low
	case guesses[id]:
		return review.Medium
	case strings.HasPrefix(strings.TrimPrefix(regex, "(?i)"), `[\w.-]{0,50}?`):
		return review.High
	default:
		return review.Critical
	}
}

var publicByDesign = regexp.MustCompile(`-(?:client-id|pub-key|public-key|access-id|key-id|user-api-id|browser-api-token)$`)

var guesses = map[string]bool{
	"generic-api-key": true, "jwt": true, "jwt-base64": true, "curl-auth-header": true, "curl-auth-user": true,
	"kubernetes-secret-yaml": true, "hashicorp-tf-password": true, "nuget-config-password": true, "pkcs12-file": true,
	"sourcegraph-access-token": true, // any 40 hexadecimal digits near the word
	"facebook-access-token":    true, "twilio-api-key": true, "octopus-deploy-api-key": true,
	"easypost-test-api-token": true, "flutterwave-encryption-key": true, "flutterwave-secret-key": true,
}

// inContext lowers a severity for secrets that probably open nothing: in tests
// and examples, and keys of a vendor's test mode.
func inContext(s review.Severity, path, secret string) review.Severity {
	if agents.TestPath(path) || testMode.MatchString(secret) {
		return min(s, review.Low)
	}
	return s
}

var testMode = regexp.MustCompile(`(?i)^(?:sk|rk|pk)_test_|^(?:duffel|shippo)_test_|^FLW(?:SECK|PUBK)_TEST|^EZTK`)
