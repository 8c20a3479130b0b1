// Package strategy decides what is run and what the result means: it reads the
// config language, turns an event and the settings in force into plans (or the
// reason why not), and turns findings, coverage and health into a verdict.
//
// Everything here is pure: no I/O, no clock, no goroutine, no logger, so the
// same input gives the same answer in the service, on the command line and in
// a test. Where a config comes from (base branch, operator, organisation) it
// leaves to internal/pipeline, running agents to agents, showing the outcome
// to reports.
//
// The language is meant to grow, and each kind of growth has its place: a key is
// a row of keys*.go, from which parser, reference and JSON schema are made; a
// kind of value is a shape in scalars.go or lists.go; an event a row of
// events.go; a filter of pull requests a function in filter.go; a way of judging
// is in judge.go with its rows in docs/verdict.md.
package strategy
