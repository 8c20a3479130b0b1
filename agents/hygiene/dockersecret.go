package hygiene

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	// assigned is one name and value of ENV or ARG: NAME=value, quoted or not.
	assigned = regexp.MustCompile(`(?:^|\s)([A-Za-z_]\w*)=("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"']*)`)
	// secretName is the name of something that should not be known.
	secretName = regexp.MustCompile(`(?i)(?:^|_)(?:passw(?:or)?d|passphrase|secret|(?:api|access|private|auth|secret|signing|encryption)_?key|token|credentials?)(?:_(?:value|base64|b64))?$`)
	// harmless are values that are no secrets: empty, made up, a reference, a path,
	// a switch or a number.
	harmless = regexp.MustCompile(`(?i)^(?:|\$.*|/.*|file:.*|https?://[^@]*|true|false|yes|no|none|null|\d{1,5}|x+|\*+|<.*>|.*(?:change[_-]?me|placeholder|example|dummy|fake|your[_-]|todo|not[_-]?set|unset|build[_-]?time|replace).*)$`)
)

// secret looks for secrets in ENV and ARG. What it finds it does not repeat.
func (c *dockerCheck) secret(in instruction) {
	args := in.args
	if name, value, ok := strings.Cut(args, " "); ok && in.name == "ENV" && !strings.Contains(name, "=") {
		args = name + "='" + strings.ReplaceAll(strings.TrimSpace(value), "'", "") + "'" // ENV NAME value
	}
	for _, m := range assigned.FindAllStringSubmatch(args, 100) {
		value := strings.Trim(m[2], `"'`)
		if !secretName.MatchString(m[1]) || harmless.MatchString(value) {
			continue
		}
		c.add(ruleDockerSecret, in, fmt.Sprintf("%s is given a value here, which stays in the image: mount it while building, or give it to the container when it starts.", m[1]))
		c.found[len(c.found)-1].Evidence = in.name + " " + m[1] + "=********"
	}
}
