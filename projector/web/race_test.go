//go:build race

package web_test

// slowness is how much longer this side may take under the race detector, which
// makes sorting 10,000 containers some fifteen times slower.
const slowness = 2
