package reviewer

import (
	"assay/agents"
	"assay/review"
)

// topic is what a finding of the model's may be about, by the word that the
// schema has for it.
type topic struct {
	word     string
	category review.Category
	// most is the highest severity that the model may give.
	most            review.Severity
	what, why, help string
}

var topics = []topic{
	{"correctness", review.Correctness, review.High, "Code that gives wrong results.", "Whoever relies on it gets something else than was meant.", "Correct it, and add the case that shows it to the tests."},
	{"security", review.Security, review.Critical, "Code that lets somebody do or see what they should not.", "It can be used on purpose, by people who look for it.", "Close it before the change is merged."},
	{"data-loss", review.Correctness, review.Critical, "Code that can lose or destroy data.", "What is lost does not come back with a fix.", "Make the write atomic, narrow the deletion, or keep what is needed to undo it."},
	{"concurrency", review.Correctness, review.High, "Races, deadlocks and tasks that nobody ends.", "It fails rarely, under load, and not in tests.", "Order the accesses, and say who ends what was started."},
	{"api-misuse", review.Correctness, review.High, "A library, language or protocol that is not used as it has to be.", "It works by luck, until it does not.", "Use it as its contract says."},
	{"tests", review.Maintainability, review.Medium, "A test that cannot fail, or that contradicts the change.", "It gives confidence that nothing has earned.", "Make it fail once for the right reason."},
}

func topicOf(word string) (topic, bool) {
	for _, t := range topics {
		if t.word == word {
			return t, true
		}
	}
	return topic{}, false
}

// addressedRule is the rule of what speaks to the reviewer. No model takes part
// in it.
const addressedRule = Name + "/addressed"

// Rules describes the agent's rules. The severity is the most that a finding of
// the rule can have; mostly it has less.
func Rules() []agents.Rule {
	var rules []agents.Rule
	for _, t := range topics {
		rules = append(rules, agents.Rule{ID: Name + "/" + t.word, Severity: t.most, Category: t.category, What: t.what, Why: t.why, Fix: t.help})
	}
	return append(rules, agents.Rule{
		ID: addressedRule, Severity: review.Medium, Category: review.Security,
		What: "Text in the change that gives orders to an automated reviewer.",
		Why:  "Whoever writes it wants the review to come out otherwise than the code deserves. The words were kept from the model.",
		Fix:  "Take it out, and look at the rest of the change with more care.",
	})
}

// Rules describes the agent's rules.
func (a *Agent) Rules() []agents.Rule { return Rules() }
