package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"assay/internal/cache"
	"assay/internal/fault"
	"assay/review"
	"assay/strategy"
)

// ConfigPath is where a repository keeps its config, on the base branch.
const ConfigPath = ".github/assay.yml"

// An organisation's config is a file at the root of its repository ".github", on
// the default branch.
const (
	OrgRepository = ".github"
	OrgConfigPath = "assay.yml"
)

const (
	// orgStale is how long an organisation's config stands in for one that
	// cannot be read: an outage of GitHub must not loosen a gate.
	orgStale = 24 * time.Hour
	// maxLoads and loadBytes bound the configs that are kept read; one takes
	// about loadFactor times its files.
	maxLoads   = 1024
	loadBytes  = 64 << 20
	loadFactor = 16
)

// layers reads the layers of config and puts them together.
type layers struct {
	github     GitHub
	vocabulary strategy.Vocabulary
	// operator is the operator's file; nil for none.
	operator *strategy.Layer
	orgs     *cache.Cache[orgKey, orgFile]
	loads    *cache.Cache[[sha256.Size]byte, loaded]
}

type orgKey struct {
	installation int64
	owner        string
}

// orgFile is an organisation's config, or that there is none.
type orgFile struct {
	data  []byte
	known bool
}

// loaded are layers that were put together.
type loaded struct {
	settings strategy.Settings
	bytes    int
}

func newLayers(cfg Config, v strategy.Vocabulary) (*layers, error) {
	l := &layers{github: cfg.GitHub, vocabulary: v, operator: cfg.Operator}
	var err, add error
	l.orgs, err = cache.New[orgKey](cache.Config[orgFile]{Name: "org_config", TTL: cfg.OrgConfigTTL, Size: cfg.OrgConfigSize, StaleFor: orgStale})
	if err != nil {
		return nil, err
	}
	l.loads, err = cache.New[[sha256.Size]byte](cache.Config[loaded]{
		Name: "loaded_configs", TTL: time.Hour, Size: maxLoads, Bytes: loadBytes,
		Weigh: func(l loaded) int { return loadFactor * l.bytes },
	})
	if err == nil && cfg.Caches != nil {
		add = errors.Join(cfg.Caches.Add(l.orgs), cfg.Caches.Add(l.loads))
	}
	return l, errors.Join(err, add)
}

// at are the layers in force for a repository's branch, lowest first. What a
// pull request says about its own review does not count. problems are of files
// that cannot be read.
func (l *layers) at(ctx context.Context, repo Source, installation int64, in review.Repo, branch string) (found []strategy.Layer, problems []review.Problem, err error) {
	if l.operator != nil {
		found = append(found, *l.operator)
	}
	org, err := l.organisation(ctx, installation, in.Owner)
	if err != nil {
		return nil, nil, err
	}
	if org.known {
		found = append(found, orgLayer(in.Owner, org.data))
	}
	// In full: a tag may have the branch's name.
	text, err := repo.File(ctx, "refs/heads/"+branch, ConfigPath)
	switch {
	case errors.Is(err, review.ErrNotExist):
	case errors.Is(err, review.ErrTooLarge):
		problems = []review.Problem{{Path: ConfigPath, Line: 1, Message: "the file is too large, so it is left out: make it smaller"}}
	case err != nil:
		return nil, nil, fmt.Errorf("read config: %w", err)
	default:
		found = append(found, strategy.Layer{Kind: strategy.Repository, Path: ConfigPath, Data: text})
	}
	return found, problems, nil
}

// orgLayer is an organisation's file as problems name it.
func orgLayer(owner string, data []byte) strategy.Layer {
	return strategy.Layer{Kind: strategy.Organisation, Path: owner + "/" + OrgRepository + "/" + OrgConfigPath, Data: data}
}

// organisation reads an organisation's config. That there is none, or that the
// app was not let into the repository, is remembered like a file.
func (l *layers) organisation(ctx context.Context, installation int64, owner string) (orgFile, error) {
	if owner == "" {
		return orgFile{}, nil
	}
	f, err := l.orgs.Get(ctx, orgKey{installation, owner}, func(ctx context.Context) (orgFile, error) {
		repo := l.github.Repository(installation, review.Repo{Owner: owner, Name: OrgRepository})
		data, err := repo.File(ctx, "HEAD", OrgConfigPath)
		switch {
		case err == nil:
			return orgFile{data, true}, nil
		case errors.Is(err, review.ErrTooLarge): // too large for Load as well, which says so
			return orgFile{make([]byte, strategy.MaxConfigBytes+1), true}, nil
		case errors.Is(err, review.ErrNotExist), fault.KindOf(err) == fault.Gone, fault.KindOf(err) == fault.Unauthorized:
			return orgFile{}, nil
		}
		return orgFile{}, err
	})
	if err != nil {
		return f, fmt.Errorf("read the organisation's config: %w", err)
	}
	return f, nil
}

// load puts layers together, each set of files once.
func (l *layers) load(ctx context.Context, all []strategy.Layer) (strategy.Settings, error) {
	got, err := l.loads.Get(ctx, keyOf(all), func(context.Context) (loaded, error) {
		size := 0
		for _, layer := range all {
			size += len(layer.Data)
		}
		return loaded{strategy.Load(l.vocabulary, all...), size}, nil
	})
	return got.settings, err
}

// keyOf names layers by what they say.
func keyOf(all []strategy.Layer) (key [sha256.Size]byte) {
	h := sha256.New()
	part := func(b []byte) {
		_ = binary.Write(h, binary.BigEndian, int64(len(b))) // a hash takes all
		h.Write(b)
	}
	for _, l := range all {
		part([]byte{byte(l.Kind)})
		part([]byte(l.Path))
		part(l.Data)
	}
	return [sha256.Size]byte(h.Sum(key[:0]))
}

// inForce is what is in force for a repository, and what it is made of.
type inForce struct {
	strategy.Settings
	layers []strategy.Layer
}

// settings are those in force for what the event is about.
func (p *Pipeline) settings(ctx context.Context, repo Source, ev review.Event) (inForce, error) {
	return p.settingsAt(ctx, repo, ev.Installation, ev.Repo, ev.Pull.BaseRef)
}

func (p *Pipeline) settingsAt(ctx context.Context, repo Source, installation int64, in review.Repo, branch string) (inForce, error) {
	found, problems, err := p.layers.at(ctx, repo, installation, in, branch)
	if err != nil {
		return inForce{}, err
	}
	s, err := p.layers.load(ctx, found)
	if err != nil {
		return inForce{}, fmt.Errorf("put the config together: %w", err)
	}
	s.Problems = append(problems, s.Problems...)
	return inForce{s, found}, nil
}

// leftOut reports whether the layer's file has mistakes.
func (s inForce) leftOut(kind strategy.LayerKind) bool {
	for _, p := range s.Problems {
		if p.Layer == kind.String() || p.Layer == "" && kind == strategy.Repository {
			return true
		}
	}
	return false
}

// names are the pipelines in force.
func (s inForce) names() (names []string) {
	for _, pipeline := range s.Config.Pipelines {
		names = append(names, pipeline.Name)
	}
	return names
}

// isOrgRepository reports whether a repository holds its organisation's config.
func isOrgRepository(r review.Repo) bool { return strings.EqualFold(r.Name, OrgRepository) }
