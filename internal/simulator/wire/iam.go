package wire

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

const (
	iamPath = "/v1/"
	// tokenLife is how long a token holds, in real time, as its caller's clocks have it
	// (docs iam/credentials v1, generateAccessToken: an hour unless asked otherwise).
	tokenLife = time.Hour
	// tokenPrefix begins every token: of whom it is and when it ends follow.
	tokenPrefix = "simulated."
)

// accessToken is the answer of generateAccessToken.
type accessToken struct {
	AccessToken string `json:"accessToken"`
	ExpireTime  string `json:"expireTime"`
}

// IAMCredentials serves generateAccessToken of the IAM Service Account Credentials API v1
// over a guarded world. Whoever comes with such a token is that account to the other
// skins; whoever comes without any is the scenario's caller.
func IAMCredentials(g *Guard) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+iamPath+"projects/-/serviceAccounts/{method}", func(w http.ResponseWriter, r *http.Request) {
		name, verb, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, iamPath), ":")
		if verb != "generateAccessToken" {
			refuse(w, r, &simulator.APIError{Code: http.StatusNotFound, Status: "NOT_FOUND", Message: "Method not found."})
			return
		}
		v, err := asked(g, r, func(a simulator.API) (any, error) { return a.GenerateAccessToken(name) })
		if err != nil {
			refuse(w, r, err)
			return
		}
		email, _ := v.(string)
		end := g.wall.Now().Add(tokenLife).UTC()
		answer(w, r, http.StatusOK, accessToken{token(email, end), end.Format(time.RFC3339)})
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, r, &simulator.APIError{Code: http.StatusNotFound, Status: "NOT_FOUND", Message: "Method not found."})
	})
	return dated(g, mux)
}

func token(email string, end time.Time) string {
	return tokenPrefix + base64.RawURLEncoding.EncodeToString([]byte(email)) + "." + strconv.FormatInt(end.Unix(), 10)
}

// identity is whose token an Authorization header brings; "" without one.
func identity(g *Guard, header string) (string, *simulator.APIError) {
	if header == "" {
		return "", nil
	}
	text, ok := strings.CutPrefix(header, "Bearer "+tokenPrefix)
	whose, until, _ := strings.Cut(text, ".")
	email, err := base64.RawURLEncoding.DecodeString(whose)
	end, endErr := strconv.ParseInt(until, 10, 64)
	if !ok || err != nil || endErr != nil || !g.wall.Now().Before(time.Unix(end, 0)) {
		return "", &simulator.APIError{
			Code: http.StatusUnauthorized, Status: "UNAUTHENTICATED",
			Message: "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.",
		}
	}
	return string(email), nil
}
