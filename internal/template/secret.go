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

// aboutWords end, or are in, names of variables that are about a secret and hold none.
var aboutWords = []string{
	"PUBLIC", "PUBLISHABLE", "URL", "URI", "NAME", "ID", "FILE", "PATH", "DIR", "TTL", "PREFIX", "HEADER", "LENGTH", "SIZE", "EXPIRY", "EXPIRES",
	"TIMEOUT", "ENDPOINT", "HOST", "ISSUER", "AUDIENCE", "ENABLED", "TYPE", "ALGORITHM", "VERSION", "PROVIDER",
}

// harmless are values that no secret has: numbers, words that switch, and paths.
var harmless = regexp.MustCompile(`^([0-9.]{0,8}|true|false|on|off|yes|no|none|null|(/[A-Za-z0-9._-]+)+|projects/[a-z0-9:.-]+/secrets/.*)$`)

// secretIn says why a variable seems to hold a secret as a literal; "" where it does
// not.
func secretIn(name, value string) string {
	if why := secretLike(value); why != "" {
		return why
	}
	words := wordsOf(name)
	holds := slices.ContainsFunc(words, func(word string) bool { return slices.Contains(secretWords, word) })
	about := slices.ContainsFunc(words, func(word string) bool { return slices.Contains(aboutWords, word) })
	if holds && !about && !harmless.MatchString(strings.ToLower(value)) && !harmless.MatchString(value) {
		return "is a secret by the variable's name"
	}
	return ""
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
