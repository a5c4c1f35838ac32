// Package signer signs URLs of Darkroom images (docs/reference/signatures.md).
package signer

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"sort"
	"strings"
	"time"
)

// Signer signs URLs of one deployment.
type Signer struct {
	base string
	key  []byte
}

// New returns a signer with the current key of the secret SigningKeysArn. The base is the CDN's address, such as
// https://images.example.com; it is empty for paths.
func New(base, key string) (*Signer, error) {
	if key == "" {
		return nil, fmt.Errorf("darkroom: the signing key is empty")
	}
	return &Signer{strings.TrimSuffix(base, "/"), []byte(key)}, nil
}

// URL returns the signed URL of an image. The image is its key, not percent-encoded, such as trips/rome.jpg. Options
// have their short or long names. A zero time means that the link does not expire.
func (s *Signer) URL(image string, options map[string]string, expires time.Time) (string, error) {
	target := pathOf(image)
	if query := queryOf(options); query != "" {
		target += "?" + query
	}
	signed, err := s.Sign(target, expires)
	return s.base + signed, err
}

// Extension returns the signed URL by which the extension name serves an image (<key>/_/<name>).
func (s *Signer) Extension(image, name string, options map[string]string, expires time.Time) (string, error) {
	path := pathOf(image)
	if err := check(path); err != nil {
		return "", err
	}
	target := withoutEscapes(path) + "/_/" + name
	if query := queryOf(options); query != "" {
		target += "?" + query
	}
	return s.base + s.signText(target, expires), nil
}

// Sign returns a path with its query, percent-encoded, with its signature.
func (s *Signer) Sign(target string, expires time.Time) (string, error) {
	path, _, _ := strings.Cut(target, "?")
	if err := check(path); err != nil {
		return "", err
	}
	return s.signText(target, expires), nil
}

// SignMessage returns the signature of a text, which is signed as it is. The purpose is one of
// docs/reference/signatures.md, such as "tile-url"; "" is "image", whose text begins with a slash.
func SignMessage(text, key, purpose string) (string, error) {
	if key == "" {
		return "", fmt.Errorf("darkroom: the signing key is empty")
	}
	domain, used := purpose+":", []byte(key)
	switch purpose {
	case "", "image":
		if !strings.HasPrefix(text, "/") {
			return "", fmt.Errorf("darkroom: the text that is signed for an image begins with a slash: %q", text)
		}
		domain = ""
	case "upload-token": // signed with the key itself, as images
	default:
		used = digest(used, "key:"+domain)
	}
	return base64.RawURLEncoding.EncodeToString(digest(used, domain+text)), nil
}

func digest(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func check(path string) error {
	for at, segment := range strings.Split(path, "/") {
		isRefused := segment == "" || segment == "." || segment == ".." || segment == "_"
		if at == 0 && segment != "" || at > 0 && isRefused || path == "" {
			return fmt.Errorf("darkroom: no image can have this path: %q", path)
		}
	}
	return nil
}

func (s *Signer) signText(target string, expires time.Time) string {
	text := target
	if !expires.IsZero() {
		text += fmt.Sprintf("%sexp=%d", joint(text), expires.Unix())
	}
	return text + joint(text) + "s=" + base64.RawURLEncoding.EncodeToString(digest(s.key, text))
}

func pathOf(image string) string {
	segments := strings.Split(image, "/")
	for at, segment := range segments {
		segments[at] = escape(segment)
	}
	return "/" + strings.Join(segments, "/")
}

func queryOf(options map[string]string) string {
	pairs := make([]string, 0, len(options))
	for name, value := range options {
		pairs = append(pairs, escape(name)+"="+readable.Replace(escape(value)))
	}
	sort.Strings(pairs)
	return strings.Join(pairs, "&")
}

// The path of an extension has the key in this encoding, since an HTTP API decodes percent-escapes.
func withoutEscapes(path string) string {
	path = strings.ReplaceAll(strings.ReplaceAll(path, ".-", ".%2D"), "~", "%7E")
	return strings.ReplaceAll(continuation.ReplaceAllString(path, "$1"), "%", ".-")
}

var continuation = regexp.MustCompile("%([89AB].)")

var readable = strings.NewReplacer("%2C", ",", "%3A", ":", "%3B", ";", "%2F", "/")

func escape(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}

func joint(text string) string {
	if strings.Contains(text, "?") {
		return "&"
	}
	return "?"
}
