package ghfake

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// delivered is a delivery as it stood when it was looked at.
type delivered struct{ delivery }

// fresh is the delivery as it was before any attempt.
func (d delivered) fresh() *delivery {
	a := d.delivery
	return &delivery{
		guid: a.guid, app: a.app, event: a.event, action: a.action, installation: a.installation, repo: a.repo,
		hook: a.hook, body: a.body, url: a.url, secret: a.secret,
	}
}

// deliveryWindow is how long GitHub lists deliveries, and delivers them again
// (https://docs.github.com/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks).
const deliveryWindow = 3 * 24 * time.Hour

// attempted are the attempts that are over and not too old, newest first.
func (d *dispatcher) attempted(app int64) []delivered {
	d.mu.Lock()
	defer d.mu.Unlock()
	oldest := d.now().Add(-deliveryWindow)
	var out []delivered
	for _, a := range d.kept.all() {
		if a.app == app && a.at.After(oldest) {
			out = append(out, delivered{*a})
		}
	}
	slices.Reverse(out)
	return out
}

// find returns a delivery by its ID; nil when it is not kept.
func (d *dispatcher) find(id int64) *delivered {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, a := range d.kept.all() {
		if a.id == id {
			return &delivered{*a}
		}
	}
	return nil
}

// cursorPrefix makes cursors opaque, so that nobody counts with them.
const cursorPrefix = "v1_"

// listDeliveries lists the app's deliveries, newest first, a page at a time
// from a cursor
// (https://docs.github.com/rest/apps/webhooks#list-deliveries-for-an-app-webhook).
func (s *Server) listDeliveries(c *call) (answer, error) {
	const defaultSize, maxSize = 30, 100
	size := min(positive(c.query("per_page"), defaultSize), maxSize)
	all := s.hooks.attempted(c.caller.app.ID)
	if wanted := c.query("status"); wanted != "" {
		all = slices.DeleteFunc(all, func(d delivered) bool { return (d.status == "OK") != (wanted == "success") })
	}
	if cursor := c.query("cursor"); cursor != "" {
		text, known := strings.CutPrefix(cursor, cursorPrefix)
		from, err := strconv.ParseInt(text, 10, 64)
		if err != nil || !known {
			return answer{}, problem(http.StatusUnprocessableEntity, "The cursor is invalid")
		}
		all = slices.DeleteFunc(all, func(d delivered) bool { return d.id > from })
	}
	a := ok(mapped(all[:min(size, len(all))], deliveryItem))
	if len(all) > size {
		q := c.req.URL.Query()
		q.Set("cursor", fmt.Sprintf("%s%d", cursorPrefix, all[size].id))
		a.set("Link", fmt.Sprintf("<%s/app/hook/deliveries?%s>; rel=\"next\"", s.apiURL, q.Encode()))
	}
	return a, nil
}

func deliveryItem(d delivered) object {
	return object{
		"id": d.id, "guid": d.guid, "delivered_at": d.at.UTC(), "redelivery": d.redelivery, "duration": d.took.Seconds(),
		"status": d.status, "status_code": d.code, "event": d.event, "action": orNull(d.action),
		"installation_id": orNull(d.installation), "repository_id": orNull(d.repo), "throttled_at": nil,
	}
}

// appDelivery is the delivery the path names.
func (c *call) appDelivery() (delivered, error) {
	id, err := c.id("delivery_id")
	if err != nil {
		return delivered{}, err
	}
	for _, d := range c.s.hooks.attempted(c.caller.app.ID) {
		if d.id == id {
			return d, nil
		}
	}
	return delivered{}, notFound()
}

func (s *Server) getDelivery(c *call) (answer, error) {
	d, err := c.appDelivery()
	if err != nil {
		return answer{}, err
	}
	o := deliveryItem(d)
	o["url"] = d.url
	o["request"] = object{"headers": flatHeaders(d.requestHeader), "payload": payloadOf(d.body)}
	o["response"] = object{"headers": flatHeaders(d.responseHeader), "payload": orNull(d.responsePayload)}
	return ok(o), nil
}

// payloadOf is the payload as JSON; null when it is not a JSON object, which
// only Deliver can bring about.
func payloadOf(body []byte) any {
	var o map[string]json.RawMessage
	if json.Unmarshal(body, &o) != nil {
		return nil
	}
	return json.RawMessage(body)
}

func flatHeaders(h http.Header) object {
	o := object{}
	for name := range h {
		o[name] = h.Get(name)
	}
	return o
}

// redeliver asks for a delivery again
// (https://docs.github.com/rest/apps/webhooks#redeliver-a-delivery-for-an-app-webhook).
func (s *Server) redeliver(c *call) (answer, error) {
	d, err := c.appDelivery()
	if err != nil {
		return answer{}, err
	}
	s.redeliverAs(d)
	return answer{status: http.StatusAccepted, body: object{}}, nil
}

func (s *Server) getHookConfig(c *call) (answer, error) { return ok(hookConfig(c.caller.app)), nil }

func hookConfig(a *App) object {
	o := object{"content_type": "json", "insecure_ssl": "0"}
	if a.HookURL != "" {
		o["url"] = a.HookURL
	}
	if a.WebhookSecret != "" {
		o["secret"] = "********"
	}
	return o
}

func (s *Server) updateHookConfig(c *call) (answer, error) {
	var in struct {
		URL    *string `json:"url"`
		Secret *string `json:"secret"`
	}
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	set(&c.caller.app.HookURL, in.URL)
	set(&c.caller.app.WebhookSecret, in.Secret)
	return ok(hookConfig(c.caller.app)), nil
}
