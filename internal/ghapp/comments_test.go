package ghapp

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"assay/internal/fault"
)

const marker = "<!-- assay:summary -->"

// comments is a GitHub that keeps the comments of pull request 5.
type comments struct {
	h *hub

	mu      sync.Mutex
	list    []string // as JSON; "" when deleted
	mishaps []mishap
}

func newComments(t *testing.T, mishaps ...mishap) *comments {
	c := &comments{h: newHub(t), mishaps: mishaps}
	c.h.HandleFunc("GET /app", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, `{"id":42,"slug":"assay"}`) })
	c.h.HandleFunc("GET /repos/octo/hello/issues/5/comments", func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		page(c.h, w, r, "%s", c.list)
	})
	c.h.HandleFunc("POST /repos/octo/hello/issues/5/comments", func(w http.ResponseWriter, r *http.Request) {
		var sent struct{ Body string }
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			t.Error(err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		fate := mishap{done: true, status: 201}
		if len(c.mishaps) > 0 {
			fate, c.mishaps = c.mishaps[0], c.mishaps[1:]
		}
		made := ""
		if fate.done {
			made = c.add(sent.Body, "assay[bot]", "Bot", testApp)
		}
		fate.answer(w, made)
	})
	return c
}

func (c *comments) add(body, login, kind string, app int64) string {
	by := "null"
	if app != 0 {
		by = fmt.Sprintf(`{"id":%d}`, app)
	}
	c.list = append(c.list, fmt.Sprintf(`{"id":%d,"body":%q,"user":{"login":%q,"type":%q},"performed_via_github_app":%s}`, len(c.list)+1, body, login, kind, by))
	return c.list[len(c.list)-1]
}

// TestCreateComment is faults G1 and G2 for comments, with a stranger's comment
// that carries the marker already.
func TestCreateComment(t *testing.T) {
	tests := []struct {
		name    string
		mishaps []mishap
	}{
		{"well", nil},
		{"answer lost", []mishap{lostAnswer}},
		{"request lost", []mishap{lostRequest}},
		{"502 though done", []mishap{badGateway}},
		{"garbage for an answer", []mishap{garbage}},
		{"null for an answer", []mishap{nothing}},

		{"lost twice", []mishap{notDone, lostRequest}},
		{"lost twice, then done and lost", []mishap{notDone, lostRequest, lostAnswer}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newComments(t, tt.mishaps...)
			c.add("fooled you "+marker, "mallory", "User", 0)
			id, err := c.h.repo().CreateComment(within(t), 5, marker, "2 findings\n"+marker)
			if err != nil {
				t.Fatal(err)
			}
			if id != 2 || len(c.list) != 2 {
				t.Errorf("comment %d of %d, want one of ours, the second", id, len(c.list))
			}
		})
	}
}

func TestCreateCommentNeedsItsMarker(t *testing.T) {
	for _, m := range []string{"", "<!-- other -->"} {
		_, err := newComments(t).h.repo().CreateComment(within(t), 5, m, "body")
		wantKind(t, err, fault.Invalid)
	}
}

func TestFindComment(t *testing.T) {
	tests := []struct {
		name, login, kind string
		app               int64
		want              bool
	}{
		{"ours", "assay[bot]", "Bot", testApp, true},
		{"ours on an old server", "assay[bot]", "Bot", 0, true},
		{"a person", "mallory", "User", 0, false},
		{"a person with our app's sign-in", "mallory", "User", testApp, false},
		{"a person with our name", "assay[bot]", "User", 0, false},
		{"another bot", "evil[bot]", "Bot", testApp + 1, false},
		{"another bot on an old server", "evil[bot]", "Bot", 0, false},
		{"another bot with our name", "assay[bot]", "Bot", testApp + 1, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newComments(t)
			for range 140 {
				c.add("chat", "mona", "User", 0)
			}
			c.add("without a marker", "assay[bot]", "Bot", testApp)
			c.add("text "+marker, tt.login, tt.kind, tt.app)
			id, body, found, err := c.h.repo().FindComment(within(t), 5, marker)
			if err != nil || found != tt.want {
				t.Fatalf("found %v, %v; want %v", found, err, tt.want)
			}
			if found && (id != 142 || body != "text "+marker) {
				t.Errorf("comment %d: %q", id, body)
			}
		})
	}
}

func TestUpdateAndDeleteComment(t *testing.T) {
	tests := []struct {
		name       string
		answers    []int
		update     fault.Kind // Internal for no error
		deleteKind fault.Kind
	}{
		{"well", []int{200}, fault.Internal, fault.Internal},
		{"lost once", []int{0, 200}, fault.Internal, fault.Internal},
		{"deleted", []int{404}, fault.Gone, fault.Internal},
		{"lost, and gone then", []int{502, 410}, fault.Gone, fault.Internal},
		{"forbidden", []int{403}, fault.Unauthorized, fault.Unauthorized},
		{"down", []int{502, 502, 502}, fault.Transient, fault.Transient},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHub(t)
			left := tt.answers
			h.HandleFunc("/repos/octo/hello/issues/comments/11", func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPatch && !strings.Contains(readAll(t, r.Body), "new body") {
					t.Error("the body was not sent")
				}
				status := left[0]
				left = left[1:]
				if status == 0 {
					drop(w)
					return
				}
				reply(w, status, `{"id":11}`)
			})
			r := h.repo()
			if err := r.UpdateComment(within(t), 11, "new body"); (err == nil) != (tt.update == fault.Internal) || fault.KindOf(err) != tt.update {
				t.Errorf("update: %v (%v), want %v", err, fault.KindOf(err), tt.update)
			}
			left = tt.answers
			r = h.repo() // whose breaker has seen nothing yet
			if err := r.DeleteComment(within(t), 11); (err == nil) != (tt.deleteKind == fault.Internal) || fault.KindOf(err) != tt.deleteKind {
				t.Errorf("delete: %v (%v), want %v", err, fault.KindOf(err), tt.deleteKind)
			}
		})
	}
}
