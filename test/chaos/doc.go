// Package chaos breaks what is around the manager, and judges what it did by what
// happened to the service.
//
// The manager is its own binary, in one or more processes. The kube-apiserver and
// the etcd behind it are real, and leases pass in real time. Cloud Run and its
// metrics are the simulated world, whose time passes faster; the manager takes
// the time from it. What goes wrong is real too: processes are killed and
// stopped, watches fall silent or are answered from etcd's past, a backup of etcd
// is put back, rights are taken away.
//
// Every scenario is one sentence. At its end the invariants of test/invariants
// must hold for the whole of the world's log, with what was asked for and what was
// saved beside it; and whatever the sentence promises.
//
// A way that is cut ends every connection; one that loses takes what is sent and
// never answers, as a network that drops packets does.
//
// go test plays a few of them; make chaos plays all.
package chaos
