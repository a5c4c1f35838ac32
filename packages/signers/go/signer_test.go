package signer

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"
)

type vector struct {
	Image, Name, Target, Signed string
	Options                     map[string]any
	Expires                     *int64
}

func (v vector) expires() time.Time {
	if v.Expires == nil {
		return time.Time{}
	}
	return time.Unix(*v.Expires, 0)
}

func (v vector) options() map[string]string {
	found := map[string]string{}
	for name, value := range v.Options {
		found[name] = fmt.Sprint(value)
	}
	return found
}

func TestVectors(t *testing.T) {
	data, err := os.ReadFile("../signing.json")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Key                         string
		Images, Extensions, Targets []vector
		Messages                    []struct{ Purpose, Text, Signature string }
	}
	if err := json.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	signer, _ := New("https://images.example.com/", document.Key)
	for _, v := range append(document.Targets, document.Images...) {
		if signed, err := signer.Sign(v.Target, v.expires()); err != nil || signed != v.Signed {
			t.Errorf("%s: %s, not %s (%v)", v.Target, signed, v.Signed, err)
		}
	}
	for _, v := range document.Images {
		built, err := signer.URL(v.Image, v.options(), v.expires())
		if err != nil || built != "https://images.example.com"+v.Signed {
			t.Errorf("%s: %s, not %s (%v)", v.Target, built, v.Signed, err)
		}
	}
	for _, v := range document.Extensions {
		built, err := signer.Extension(v.Image, v.Name, v.options(), v.expires())
		if err != nil || built != "https://images.example.com"+v.Signed {
			t.Errorf("%s: %s, not %s (%v)", v.Target, built, v.Signed, err)
		}
	}
	for _, v := range document.Messages {
		if signature, err := SignMessage(v.Text, document.Key, v.Purpose); err != nil || signature != v.Signature {
			t.Errorf("%s: %s: %s, not %s (%v)", v.Purpose, v.Text, signature, v.Signature, err)
		}
	}
	count := len(document.Targets) + len(document.Extensions) + len(document.Images) + len(document.Messages)
	t.Logf("%d vectors", count)
}

func TestPathsThatNoImageHas(t *testing.T) {
	signer, _ := New("", "key")
	for _, image := range []string{"", "a//b.jpg", "../a.jpg", "a/./b.jpg", "a.jpg/_/w-9.webp", "a/"} {
		if signed, err := signer.URL(image, nil, time.Time{}); err == nil {
			t.Errorf("%q was signed: %s", image, signed)
		}
		if signed, err := signer.Extension(image, "example", nil, time.Time{}); err == nil {
			t.Errorf("an extension's URL of %q was signed: %s", image, signed)
		}
	}
	for _, target := range []string{"", "a.jpg", "/", "/a.jpg/_/w-9.webp?w=1"} {
		if signed, err := signer.Sign(target, time.Time{}); err == nil {
			t.Errorf("%q was signed: %s", target, signed)
		}
	}
	for _, message := range [][2]string{{"upload-token:MTkw", "key"}, {"/a.jpg", ""}} {
		if signature, err := SignMessage(message[0], message[1], ""); err == nil {
			t.Errorf("%q was signed: %s", message[0], signature)
		}
	}
	if _, err := New("", ""); err == nil {
		t.Error("an empty key was accepted")
	}
}
