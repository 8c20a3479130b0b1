// Package review holds the nouns that the whole of Assay speaks in: the
// change under review, the findings agents make, what was covered, what the
// verdict is, and the run all of it belongs to.
//
// Everything here is a plain value. The package imports nothing of ours, does
// no I/O and knows no clock; every other package may import it. Deciding what
// to run belongs to strategy, making findings to agents, showing them to
// reports, and joining the three to internal/pipeline.
package review
