// Package web is the pages: a run, its JSON and SARIF twins, and the list of
// recent runs. They are drawn on the server, need no script, and load nothing
// from anywhere else.
//
// Who may see which page is left to the server that mounts the handlers; what a
// run is, to package review; how its text is made safe to read, to reports and
// to templ, which escapes whatever it prints.
package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"assay/internal/fault"
	"assay/reports"
	"assay/review"
)

// Runs is where runs are kept.
type Runs interface {
	// Run returns the run with the ID, or an error of the kind fault.Gone when
	// there is none.
	Run(ctx context.Context, id string) (review.Run, error)
	// Recent returns at most limit runs, newest first.
	Recent(ctx context.Context, limit int) ([]review.Run, error)
}

// Config is what the pages may be told.
type Config struct {
	// GitHubURL is GitHub's address for links to code; "" means
	// https://github.com.
	GitHubURL string
	// PublicURL is the address the pages are reached at, for the links inside
	// the JSON twin; "" leaves them out.
	PublicURL string
	// Version is Assay's version, shown at the foot and in SARIF.
	Version string
}

// Pages are the handlers of the pages. They are safe for concurrent use.
type Pages struct {
	runs   Runs
	config Config
	assets assets
}

// recentRuns is the number of runs on the index.
const recentRuns = 50

// New returns the pages over runs.
func New(runs Runs, config Config) (*Pages, error) {
	if runs == nil {
		return nil, errors.New("web: no runs to show")
	}
	if config.GitHubURL == "" {
		config.GitHubURL = "https://github.com"
	}
	for name, address := range map[string]string{"GitHubURL": config.GitHubURL, "PublicURL": config.PublicURL} {
		if u, err := url.Parse(address); err != nil || (address != "" && (u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"))) {
			return nil, fmt.Errorf("web: %s %q is not an http address", name, address)
		}
	}
	config.PublicURL = strings.TrimRight(config.PublicURL, "/")
	a, err := loadAssets()
	if err != nil {
		return nil, err
	}
	return &Pages{runs: runs, config: config, assets: a}, nil
}

// Register mounts the pages of runs and the assets. The index is for the
// operator and is mounted by the server.
func (p *Pages) Register(e *echo.Echo, access ...echo.MiddlewareFunc) {
	read := []string{http.MethodGet, http.MethodHead}
	e.Match(read, "/runs/:id", p.RunPage, access...)
	e.Match(read, "/runs/:id/sarif", p.RunSARIF, access...)
	e.Match(read, "/assets/*", p.Assets)
}

// RunPage answers /runs/:id with the page, and /runs/:id.json, which Echo
// routes the same way, with its JSON twin.
func (p *Pages) RunPage(c echo.Context) error {
	if strings.HasSuffix(c.Param("id"), ".json") {
		return p.RunJSON(c)
	}
	secure(c.Response().Header())
	run, err := p.run(c, c.Param("id"))
	if err != nil {
		return p.failed(c, err)
	}
	return p.html(c, http.StatusOK, runPage(p.frame(runTitle(run), !run.Status.Final()), viewOf(run, p.config.GitHubURL)))
}

// RunJSON answers with the run as JSON. The id may end in ".json".
func (p *Pages) RunJSON(c echo.Context) error {
	return p.twin(c, "json", "application/json; charset=utf-8", "")
}

// RunSARIF answers with the run as a SARIF log to be saved.
func (p *Pages) RunSARIF(c echo.Context) error {
	return p.twin(c, "sarif", "application/sarif+json", ".sarif")
}

func (p *Pages) twin(c echo.Context, format, contentType, extension string) error {
	secure(c.Response().Header())
	id := strings.TrimSuffix(c.Param("id"), ".json")
	run, err := p.run(c, id)
	if fault.KindOf(err) == fault.Gone {
		return c.JSON(http.StatusNotFound, map[string]string{"error": "no such run"})
	}
	if err != nil {
		return err
	}
	o := reports.Options{GitHubURL: p.config.GitHubURL, Version: p.config.Version}
	if p.config.PublicURL != "" {
		o.RunURL = p.config.PublicURL + "/runs/" + id
	}
	var b bytes.Buffer
	if err := reports.Write(&b, format, run, o); err != nil {
		return err
	}
	if extension != "" {
		c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="assay-`+id+extension+`"`)
	}
	return c.Blob(http.StatusOK, contentType, b.Bytes())
}

// Index answers with the recent runs.
func (p *Pages) Index(c echo.Context) error {
	secure(c.Response().Header())
	runs, err := p.runs.Recent(c.Request().Context(), recentRuns)
	if err != nil {
		return fmt.Errorf("list recent runs: %w", err)
	}
	rows := make([]row, 0, len(runs))
	for _, run := range runs {
		rows = append(rows, rowOf(run))
	}
	return p.html(c, http.StatusOK, indexPage(p.frame("Runs", false), rows))
}

// runID is what an ID may look like; nothing else is looked up or repeated.
var runID = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)

var errNoRun = fault.New(fault.Gone, errors.New("no such run"))

func (p *Pages) run(c echo.Context, id string) (review.Run, error) {
	if !runID.MatchString(id) {
		return review.Run{}, errNoRun
	}
	run, err := p.runs.Run(c.Request().Context(), id)
	if err != nil {
		return review.Run{}, fmt.Errorf("read run: %w", err)
	}
	return run, nil
}

// failed shows a page for a run that is not there and leaves other errors to
// the server.
func (p *Pages) failed(c echo.Context, err error) error {
	if fault.KindOf(err) != fault.Gone {
		return err
	}
	return p.html(c, http.StatusNotFound, missingPage(p.frame("No such run", false)))
}

// html renders a page whole before the first byte is sent, so that an error
// can still be answered as one.
func (p *Pages) html(c echo.Context, status int, page templ.Component) error {
	var b bytes.Buffer
	if err := page.Render(c.Request().Context(), &b); err != nil {
		return fmt.Errorf("render page: %w", err)
	}
	return c.HTMLBlob(status, b.Bytes())
}

// frame is what every page needs around its content.
func (p *Pages) frame(title string, refresh bool) frame {
	return frame{title: title, refresh: refresh, css: p.assets.path("app.css"), mark: p.assets.path("mark.svg"), version: p.config.Version}
}
