//go:build !race

package simulator_test

// racing tells whether data races are looked for.
const racing = false
