package template

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// looks are how values look that are secrets, whatever their name.
var looks = []struct {
	what    string
	pattern *regexp.Regexp
}{
	{"looks like a private key", regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----`)},
	{"looks like the key of a service account", regexp.MustCompile(`"private_key(_id)?"\s*:`)},
	{"looks like a JSON web token", regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.`)},
	{"looks like a Google API key", regexp.MustCompile(`\bAIza[0-9A-Za-z_-]{35}`)},
	{"looks like a Google access token", regexp.MustCompile(`\bya29\.[0-9A-Za-z_-]{20,}`)},
	{"looks like a GitHub token", regexp.MustCompile(`\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})`)},
	{"looks like a GitLab token", regexp.MustCompile(`\bglpat-[0-9A-Za-z_-]{20,}`)},
	{"looks like an AWS access key", regexp.MustCompile(`\b(AKIA|ASIA)[0-9A-Z]{16}\b`)},
	{"looks like a Slack token", regexp.MustCompile(`\bxox[abeoprs]-[0-9A-Za-z-]{10,}`)},
	{"looks like a Stripe key", regexp.MustCompile(`\b[rs]k_(live|test)_[0-9A-Za-z]{16,}`)},
	{"has a password in its address", regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@`)},
	{"has a password in its address", regexp.MustCompile(`^[^\s:/@]+:[^\s@]+@(tcp|unix)\(`)},
	{"has a password in it", regexp.MustCompile(`(?i)\b(password|passwd|pwd)\s*=\s*[^;&\s]+`)},
}

// secretLike says why a value looks like a secret; "" where it does not.
func secretLike(value string) string {
	for _, look := range looks {
		if look.pattern.MatchString(value) {
			return look.what
		}
	}
	return ""
}

// secretWords are words in the names of variables that hold secrets.
var secretWords = []string{
	"PASSWORD", "PASSWD", "PWD", "PASS", "PASSPHRASE", "TOKEN", "SECRET", "SECRETS", "KEY", "APIKEY", "CREDENTIAL", "CREDENTIALS",
}

// longWords are those of them that no other word ends in, so that DBPASSWORD is one too.
var longWords = []string{"PASSWORD", "PASSWD", "PASSPHRASE", "TOKEN", "SECRET", "APIKEY", "CREDENTIALS"}

// aboutWords end, or are in, names of variables that are about a secret and hold none.
var aboutWords = []string{
	"PUBLIC", "PUBLISHABLE", "URL", "URI", "NAME", "ID", "TTL", "PREFIX", "HEADER", "LENGTH", "SIZE", "EXPIRY", "EXPIRES",
	"TIMEOUT", "ENDPOINT", "HOST", "ISSUER", "AUDIENCE", "ENABLED", "TYPE", "ALGORITHM", "VERSION", "PROVIDER", "MAX", "MIN", "COUNT", "LIMIT",
}

// placeWords are in names of variables that say where a secret is.
var placeWords = []string{"FILE", "PATH", "DIR"}

// place is how such a value looks.
var place = regexp.MustCompile(`^[A-Za-z0-9._~-]*([./][A-Za-z0-9._-]+)+/?$`)

// harmless are values that no secret has: short numbers, words that switch, and paths.
var harmless = regexp.MustCompile(`^([0-9.]{0,5}|true|false|on|off|yes|no|none|null|(/[A-Za-z0-9._-]+)+|projects/[a-z0-9:.-]+/secrets/.*)$`)

// secretIn says why a variable seems to hold a secret as a literal; "" where it does
// not.
func secretIn(name, value string) string {
	if why := secretLike(value); why != "" {
		return why
	}
	if namesSecret(name, value) {
		return "is a secret by the variable's name"
	}
	return ""
}

// secretAmong says why a word of a command line seems to be a secret, or to have one in it;
// "" where it does not. The word before it may be the name of a flag.
func secretAmong(before, word string) string {
	if why := secretLike(word); why != "" {
		return why
	}
	name, value, whole := strings.Cut(word, "=")
	if !whole || !strings.HasPrefix(word, "-") {
		name, value = before, word
	}
	if strings.HasPrefix(name, "-") && !strings.HasPrefix(value, "-") && namesSecret(name, value) {
		return "is a secret by the flag's name"
	}
	return ""
}

// namesSecret tells whether a name is one of what holds a secret, and a value may be it.
func namesSecret(name, value string) bool {
	words := wordsOf(name)
	has := func(list []string) bool {
		return slices.ContainsFunc(words, func(word string) bool { return slices.Contains(list, word) })
	}
	long := func(word string) bool {
		return slices.ContainsFunc(longWords, func(end string) bool { return strings.HasSuffix(word, end) })
	}
	if !has(secretWords) && !slices.ContainsFunc(words, long) || has(aboutWords) {
		return false
	}
	if has(placeWords) && place.MatchString(value) {
		return false
	}
	return !harmless.MatchString(strings.ToLower(value)) && !harmless.MatchString(value)
}

// wordsOf splits a name at underscores and other signs, and where a capital follows a
// small letter.
func wordsOf(name string) []string {
	var words []string
	var word strings.Builder
	flush := func() {
		if word.Len() > 0 {
			words = append(words, strings.ToUpper(word.String()))
			word.Reset()
		}
	}
	small := false
	for _, c := range name {
		switch {
		case !unicode.IsLetter(c) && !unicode.IsDigit(c):
			flush()
		case unicode.IsUpper(c) && small:
			flush()
			word.WriteRune(c)
		default:
			word.WriteRune(c)
		}
		small = unicode.IsLower(c)
	}
	flush()
	return words
}
