//go:build !race

package web_test

const slowness = 1
