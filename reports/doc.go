// Package reports turns a run into what people and tools read: the check run,
// the summary comment, and the formats of the command line (text, Markdown,
// JSON, SARIF, rdjson).
//
// Rendering is pure. The same run gives the same bytes: times come from the run
// itself, never from a clock. All text of the run (messages, paths, titles,
// reasons) is data written by strangers, and is escaped for the place it is
// shown in. Whatever GitHub would refuse for its size is cut by priority, with
// a count of what was left out and a link to the full report.
//
// How findings were made, and what they mean for the verdict, is left to
// agents and strategy.
package reports
