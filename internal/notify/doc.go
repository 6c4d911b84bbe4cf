// Package notify tells people elsewhere what a rollout has come to: as CloudEvents
// for programs, and as messages for Slack.
//
// Where to is for the platform team alone, who write it in a file for the manager.
// Nothing in a resource is ever an address. What is told is what was saved, in the
// words of the status. Each piece of news has an ID that is the same after a restart,
// so that whoever hears it twice can tell.
//
// A place that does not answer holds nobody up: each has a queue of its own, and news
// that find it full are dropped and counted. News that wait when the process ends are
// lost; the status and its history are not.
package notify
