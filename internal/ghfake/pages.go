package ghfake

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"strconv"
	"strings"
)

//go:embed pages.html
var pagesHTML string

// pageTemplates escape what they show: all of it comes from pull requests.
var pageTemplates = template.Must(template.New("pages").Funcs(template.FuncMap{"inc": func(i int) int { return i + 1 }}).Parse(pagesHTML))

// servePage serves the pages for people: "/", and those that reports link to:
// "/{owner}/{repo}" and, below it, "pull/{n}", "commit/{sha}" and
// "blob/{sha}/{path}". It reports whether the request was for one.
func (s *Server) servePage(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet {
		return false
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case r.URL.Path == "/":
		s.render(w, "index", s.indexPage(""))
	case len(parts) == 2 && s.isRepo(parts[0]+"/"+parts[1]):
		s.render(w, "index", s.indexPage(parts[0]+"/"+parts[1]))
	case len(parts) == 4 && parts[2] == "commit", len(parts) > 4 && parts[2] == "blob":
		view, found := s.codeView(parts[0]+"/"+parts[1], parts[3], strings.Join(parts[4:], "/"))
		if !found {
			http.NotFound(w, r)
			return true
		}
		s.render(w, "code", view)
	case len(parts) == 4 && parts[2] == "pull":
		number, _ := strconv.Atoi(parts[3])
		view, found := s.pullView(parts[0]+"/"+parts[1], number)
		if !found {
			http.NotFound(w, r)
			return true
		}
		s.render(w, "pull", view)
	default:
		return false
	}
	return true
}

func (s *Server) render(w http.ResponseWriter, name string, view any) {
	var buf bytes.Buffer
	if err := pageTemplates.ExecuteTemplate(&buf, name, view); err != nil {
		s.cfg.Logger.Error("render page", "page", name, "error", err)
		http.Error(w, "cannot render the page", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	_, _ = w.Write(buf.Bytes()) // the client has gone: nobody to tell
}

type indexView struct{ Pulls []pullLine }

type pullLine struct {
	Repo, Title, State, URL string
	Number                  int
}

type pullView struct {
	pullLine
	Body, Author, Head string
	Runs               []CheckRun
	Comments           []Comment
	Reviews            []Review
}

func (s *Server) isRepo(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.repos[strings.ToLower(name)] != nil
}

// indexPage lists the pull requests of a repository, or of all.
func (s *Server) indexPage(repo string) indexView {
	s.mu.Lock()
	defer s.mu.Unlock()
	var v indexView
	for _, name := range sortedKeys(s.repos) {
		if repo != "" && name != strings.ToLower(repo) {
			continue
		}
		for _, p := range s.repos[name].pulls {
			v.Pulls = append(v.Pulls, s.pullLine(p))
		}
	}
	return v
}

func (s *Server) pullLine(p *PullRequest) pullLine {
	state := p.state
	if !p.merged.IsZero() {
		state = "merged"
	}
	return pullLine{Repo: p.Repo.FullName(), Title: p.title, State: state, Number: p.Number, URL: "/" + p.Repo.FullName() + "/pull/" + strconv.Itoa(p.Number)}
}

func (s *Server) pullView(repo string, number int) (pullView, bool) {
	s.mu.Lock()
	r := s.repos[strings.ToLower(repo)]
	if r == nil || r.pull(number) == nil {
		s.mu.Unlock()
		return pullView{}, false
	}
	p := r.pull(number)
	v := pullView{pullLine: s.pullLine(p), Body: p.body, Author: p.Author, Head: p.headSHA}
	s.mu.Unlock()
	v.Runs, v.Comments, v.Reviews = s.CheckRuns(r, v.Head), s.Comments(p), s.Reviews(p)
	return v, true
}

type codeView struct {
	Title, Repo string
	Lines       []string
}

// codeView is a file of a commit, or without a path what the commit changes.
func (s *Server) codeView(repo, sha, path string) (codeView, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.repos[strings.ToLower(repo)]
	if r == nil || r.objects.commits[sha] == nil {
		return codeView{}, false
	}
	o, c := r.objects, r.objects.commits[sha]
	v := codeView{Title: c.message, Repo: r.FullName()}
	text := ""
	if path == "" {
		parent := ""
		if len(c.parents) > 0 {
			parent = c.parents[0]
		}
		text = gitDiff(o.diff(parent, sha))
	} else {
		file, found := o.files(c.tree)[path]
		if !found {
			return codeView{}, false
		}
		v.Title, text = path, o.blobs[file.sha]
	}
	v.Lines = strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	return v, true
}
