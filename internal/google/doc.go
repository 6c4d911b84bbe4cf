// Package google holds what the adapters of Google's APIs have in common: which
// addresses they may speak to, how, and what they repeat of foreign texts.
package google
