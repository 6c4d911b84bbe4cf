package nat

// Facts are what is known of a service that advice can be given on.
type Facts struct {
	Gateways []Gateway
	// AllTraffic: the revision sends all its traffic through the VPC.
	AllTraffic bool
	// NeedsNat: somebody has said that it must, for a fixed address.
	NeedsNat bool
	// CloudSQLPublic: it uses Cloud SQL, and not over a private address.
	CloudSQLPublic bool
	// OwnURL is the variable of its environment that holds its own public URL.
	OwnURL string
	// Minimum number of instances, the revision's or the service's.
	Minimum int64
	// Connects is how many connections a second an instance opens to one
	// destination; 0: not known.
	Connects float64
}

// The codes of findings, the gravest first.
const (
	OwnURLCalled       = "OwnURLCalled"
	CloudSQLPublic     = "CloudSQLPublic"
	AllTrafficUnneeded = "AllTrafficUnneeded"
	TooFewPorts        = "TooFewPorts"
	OneManualIP        = "OneManualIP"
	EndpointsCollide   = "EndpointsCollide"
	NoMinimum          = "NoMinimum"
	LoggingOff         = "LoggingOff"
)

const (
	// MostFindings is how many findings there are at most, and LongestFinding
	// how many bytes one has: they are kept in a status of bounded size.
	MostFindings, LongestFinding = 6, 200
)

// Finding is a piece of advice: a code and a sentence.
type Finding struct {
	Code string
	Text string
}

// Advise lists what would spare the gateways, the gravest first.
func Advise(f Facts) []Finding { return nil }
