// Package dashboard is the page of the manager: all rollouts in a list, the most
// urgent first, and each on a page of its own. It reads what the manager's cache
// holds, so every replica can serve it, and it changes nothing: no route of it
// writes.
//
// The pages are made on the server and work without scripts. A small script puts a
// new page in place of the old one when the server says that something changed. The
// words are those of package view, which kubectl sluice uses too.
package dashboard
