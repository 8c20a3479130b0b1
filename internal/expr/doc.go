// Package expr is the conditions of the config language: CEL
// (https://cel.dev) over what an event is about. It knows which variables there
// are, compiles a condition with its types checked, and evaluates it within a
// bound on its cost, without I/O, clock or randomness.
//
// What a condition decides it leaves to its callers: strategy asks whether a
// pipeline runs, the agent "rules" whether a team's rule speaks.
package expr
