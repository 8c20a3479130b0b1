package ghapp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/go-github/v62/github"

	"assay/internal/fault"
	"assay/review"
)

// maxAnnotations is the number of annotations GitHub takes in one request; it
// appends those of later ones
// (https://docs.github.com/rest/checks/runs#update-a-check-run).
const maxAnnotations = 50

// CreateCheck creates a check run, once: when GitHub's answer is lost, the run
// is looked for by its external ID before it is created again. Annotations
// beyond 50 follow in updates, the status of a completed run with the last of
// them. The ID is returned with an error too when the run exists but not all
// of its annotations do.
func (r *Repository) CreateCheck(ctx context.Context, check review.CheckRun) (int64, error) {
	id, err := r.createCheck(ctx, check)
	if err != nil {
		return id, fmt.Errorf("create check run %q at %s of %s: %w", check.Name, check.HeadSHA, r.repo, err)
	}
	return id, nil
}

func (r *Repository) createCheck(ctx context.Context, check review.CheckRun) (id int64, err error) {
	if check.Name == "" || check.ExternalID == "" {
		return 0, fault.New(fault.Invalid, errors.New("a check run needs a name, and an external ID to be found again by"))
	}
	if err := checkSHA(check.HeadSHA); err != nil {
		return 0, err
	}
	first := min(len(check.Output.Annotations), maxAnnotations)
	payload := payloadOf(check, 0, first)
	payload.HeadSHA = check.HeadSHA
	err = r.create(ctx, false, func(ctx context.Context) (err error) {
		id, err = r.sendCheck(ctx, http.MethodPost, r.path("check-runs"), payload)
		return err
	}, func(ctx context.Context) (found bool, err error) {
		id, found, err = r.FindCheck(ctx, check.HeadSHA, check.Name, check.ExternalID)
		return found, err
	})
	if err != nil || first == len(check.Output.Annotations) {
		return id, err
	}
	return id, r.annotate(ctx, id, check, 0, first)
}

// UpdateCheck sets a check run to what check says, and appends its annotations
// to those that the run already has, each once within the call. To take up an
// update that was broken off, leave out as many as AnnotationCount says.
func (r *Repository) UpdateCheck(ctx context.Context, id int64, check review.CheckRun) error {
	if err := r.updateCheck(ctx, id, check); err != nil {
		return fmt.Errorf("update check run %d of %s: %w", id, r.repo, err)
	}
	return nil
}

func (r *Repository) updateCheck(ctx context.Context, id int64, check review.CheckRun) error {
	if len(check.Output.Annotations) == 0 {
		return r.put(ctx, func(ctx context.Context) error {
			_, err := r.sendCheck(ctx, http.MethodPatch, r.path("check-runs/%d", id), payloadOf(check, 0, 0))
			return err
		})
	}
	before, err := r.AnnotationCount(ctx, id)
	if err != nil {
		return err
	}
	return r.annotate(ctx, id, check, before, 0)
}

// annotate sends the annotations from number sent on, a page at a time. The
// run had before of them when the first of ours was sent. A page whose answer
// was lost is not sent again before GitHub has said how many it has.
func (r *Repository) annotate(ctx context.Context, id int64, check review.CheckRun, before, sent int) error {
	all := len(check.Output.Annotations)
	for failures := 0; ; {
		end := min(sent+maxAnnotations, all)
		err := r.write(ctx, false, func(ctx context.Context) error {
			_, err := r.sendCheck(ctx, http.MethodPatch, r.path("check-runs/%d", id), payloadOf(check, sent, end))
			return err
		})
		if err == nil {
			if end == all {
				return nil
			}
			sent, failures = end, 0
			continue
		}
		if is[*tokenError](err) { // it was never sent
			return err
		}
		failures++
		if giveUp := r.app.rest.Again(ctx, failures, err); giveUp != nil {
			return giveUp
		}
		count, countErr := r.AnnotationCount(ctx, id)
		if countErr != nil {
			return unknown(err, countErr)
		}
		if arrived := min(count-before, all); arrived > sent {
			// When all have, an update without annotations makes sure of the rest.
			sent, failures = arrived, 0
		}
	}
}

// AnnotationCount is the number of annotations a check run has on GitHub.
func (r *Repository) AnnotationCount(ctx context.Context, id int64) (int, error) {
	var count int
	err := r.read(ctx, func(ctx context.Context) error {
		run, _, err := r.gh.Checks.GetCheckRun(ctx, r.repo.Owner, r.repo.Name, id)
		if err != nil {
			return err
		}
		if run.Output == nil || run.Output.AnnotationsCount == nil {
			return incomplete("no count of annotations")
		}
		count = *run.Output.AnnotationsCount
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("count annotations of check run %d of %s: %w", id, r.repo, err)
	}
	return count, nil
}

// FindCheck finds this app's check run by its commit, name and external ID; an
// empty external ID stands for any. Of several it is the newest.
func (r *Repository) FindCheck(ctx context.Context, headSHA, name, externalID string) (id int64, found bool, err error) {
	if err := checkSHA(headSHA); err != nil {
		return 0, false, err
	}
	err = pages(ctx, paged(r, func(ctx context.Context, page github.ListOptions) ([]*github.CheckRun, *github.Response, error) {
		list, resp, err := r.gh.Checks.ListCheckRunsForRef(ctx, r.repo.Owner, r.repo.Name, headSHA, &github.ListCheckRunsOptions{
			CheckName: &name, AppID: &r.app.id, Filter: github.String("all"), ListOptions: page,
		})
		if err != nil || list == nil {
			return nil, resp, err
		}
		return list.CheckRuns, resp, nil
	}), func(runs []*github.CheckRun) (bool, error) {
		for _, run := range runs {
			ours := run.GetApp().GetID() == r.app.id && run.GetName() == name
			if ours && (externalID == "" || run.GetExternalID() == externalID) {
				id, found = max(id, run.GetID()), true
			}
		}
		return true, nil
	})
	if err != nil {
		return 0, false, fmt.Errorf("find check run %q at %s of %s: %w", name, headSHA, r.repo, err)
	}
	return id, found, nil
}

func (r *Repository) sendCheck(ctx context.Context, method, path string, payload checkPayload) (int64, error) {
	req, err := r.gh.NewRequest(method, path, payload)
	if err != nil {
		return 0, err
	}
	var run struct {
		ID int64 `json:"id"`
	}
	if _, err := r.gh.Do(ctx, req, &run); err != nil {
		return 0, err
	}
	if run.ID == 0 {
		return 0, incomplete("a check run without an ID")
	}
	return run.ID, nil
}

// checkPayload is a check run as it is sent. go-github's own leaves no way to
// set started_at in an update, and always sends the name.
type checkPayload struct {
	Name        string       `json:"name,omitempty"`
	HeadSHA     string       `json:"head_sha,omitempty"`
	ExternalID  string       `json:"external_id,omitempty"`
	DetailsURL  string       `json:"details_url,omitempty"`
	Status      string       `json:"status,omitempty"`
	Conclusion  string       `json:"conclusion,omitempty"`
	StartedAt   string       `json:"started_at,omitempty"`
	CompletedAt string       `json:"completed_at,omitempty"`
	Output      *checkOutput `json:"output,omitempty"`
}

type checkOutput struct {
	Title       string                       `json:"title"`
	Summary     string                       `json:"summary"`
	Text        string                       `json:"text,omitempty"`
	Annotations []*github.CheckRunAnnotation `json:"annotations,omitempty"`
}

// payloadOf is check with its annotations from number start up to end. While
// more follow, the run is not completed: nobody may take a part for the whole.
func payloadOf(check review.CheckRun, start, end int) checkPayload {
	p := checkPayload{
		Name:        check.Name,
		ExternalID:  check.ExternalID,
		DetailsURL:  check.DetailsURL,
		Status:      string(check.Status),
		Conclusion:  string(check.Conclusion),
		StartedAt:   stamp(check.StartedAt),
		CompletedAt: stamp(check.CompletedAt),
	}
	if end < len(check.Output.Annotations) && check.Status == review.CheckCompleted {
		p.Status, p.Conclusion, p.CompletedAt = string(review.CheckInProgress), "", ""
	}
	if o := check.Output; o.Title != "" || o.Summary != "" || o.Text != "" || len(o.Annotations) > 0 {
		p.Output = &checkOutput{Title: o.Title, Summary: o.Summary, Text: o.Text}
		for _, a := range o.Annotations[start:end] {
			p.Output.Annotations = append(p.Output.Annotations, annotationOf(a))
		}
	}
	return p
}

func annotationOf(a review.Annotation) *github.CheckRunAnnotation {
	level := string(a.Level)
	sent := &github.CheckRunAnnotation{
		Path: &a.Path, StartLine: &a.StartLine, EndLine: &a.EndLine, AnnotationLevel: &level, Message: &a.Message,
	}
	if a.Title != "" {
		sent.Title = &a.Title
	}
	if a.RawDetails != "" {
		sent.RawDetails = &a.RawDetails
	}
	return sent
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
