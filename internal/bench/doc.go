// Package bench measures the product's promises about speed, each next to a
// bare baseline in the same run. It has benchmarks only.
package bench
