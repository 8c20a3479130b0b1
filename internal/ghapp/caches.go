package ghapp

import (
	"cmp"
	"errors"
	"time"

	"assay/internal/cache"
)

// Names of the caches in statistics.
const (
	tokensCache   = "github_tokens"
	configCache   = "github_config"
	contentsCache = "github_contents"
	answersCache  = "github_answers"
	basesCache    = "github_merge_bases"
	treesCache    = "github_trees"
)

const (
	maxTokens = 4096 // one more mint is all an eviction costs
	maxBases  = 4096
	maxTrees  = 256
	// Bytes that are kept of each. Answers of the API are counted as twice
	// their JSON.
	configBytes   = 8 << 20
	contentsBytes = 64 << 20
	answersBytes  = 32 << 20
	treesBytes    = 64 << 20

	// absentFor is how long a file that a commit does not have is taken for
	// absent: GitHub says the same of a commit it has not heard of yet.
	absentFor = 30 * time.Second
)

// CacheLimits bounds a cache; zero values are the defaults named at the
// caches.
type CacheLimits struct {
	TTL  time.Duration
	Size int // entries
}

// CacheConfig bounds the App's caches. All are kept apart by installation,
// repository and permissions.
type CacheConfig struct {
	// Tokens are kept until shortly before their end: 4,096.
	Tokens int
	// Config bounds the files read at branches and tags: an hour, 1,024.
	// GitHub is asked each time whether they still stand.
	Config CacheLimits
	// Contents bounds the files read at commits, which do not change: 10
	// minutes, 4,096, 64 MiB.
	Contents CacheLimits
	// Answers bounds pull requests and their lists of files: an hour, 4,096,
	// 32 MiB. GitHub is asked each time whether they still stand.
	Answers CacheLimits
}

// caches are what the App remembers of GitHub.
type caches struct {
	tokens   *cache.Cache[tokenKey, token]
	configs  *cache.Cache[readKey, reading]
	answers  *cache.Cache[readKey, reading]
	contents *cache.Cache[fileKey, file]
	bases    *cache.Cache[baseKey, mergeBase]
	trees    *cache.Cache[treeKey, listing]
}

// newCaches makes the caches. Failures of loads are not remembered, except of
// tokens: the guards see to it that trouble is answered at once.
func newCaches(cfg CacheConfig, loadTimeout time.Duration, set *cache.Set) (caches, error) {
	m := maker{loadTimeout: loadTimeout, set: set}
	contents := CacheLimits{TTL: cmp.Or(cfg.Contents.TTL, 10*time.Minute), Size: cmp.Or(cfg.Contents.Size, 4096)}
	absent := func(is bool) time.Time {
		if is {
			return time.Now().Add(min(absentFor, contents.TTL))
		}
		return time.Time{}
	}
	c := caches{
		tokens: made[tokenKey](&m, cache.Config[token]{
			Name: tokensCache, Size: cmp.Or(cfg.Tokens, maxTokens),
			Expires: func(t token) time.Time { return t.until },
		}),
		configs: made[readKey](&m, cache.Config[reading]{
			Name: configCache, TTL: cmp.Or(cfg.Config.TTL, time.Hour), Size: cmp.Or(cfg.Config.Size, 1024), ErrorTTL: -1,
			Bytes: configBytes, Weigh: reading.weight, Expires: reading.expires,
		}),
		answers: made[readKey](&m, cache.Config[reading]{
			Name: answersCache, TTL: cmp.Or(cfg.Answers.TTL, time.Hour), Size: cmp.Or(cfg.Answers.Size, 4096), ErrorTTL: -1,
			Bytes: answersBytes, Weigh: reading.weight, Expires: reading.expires,
		}),
		contents: made[fileKey](&m, cache.Config[file]{
			Name: contentsCache, TTL: contents.TTL, Size: contents.Size, ErrorTTL: -1,
			Bytes: contentsBytes, Weigh: func(f file) int { return len(f.data) },
			Expires: func(f file) time.Time { return absent(f.err != nil) },
		}),
		bases: made[baseKey](&m, cache.Config[mergeBase]{
			Name: basesCache, TTL: contents.TTL, Size: maxBases, ErrorTTL: -1,
			Expires: func(b mergeBase) time.Time { return absent(b.sha == "") },
		}),
		trees: made[treeKey](&m, cache.Config[listing]{
			Name: treesCache, TTL: contents.TTL, Size: maxTrees, ErrorTTL: -1,
			Bytes: treesBytes, Weigh: listing.weight,
		}),
	}
	return c, errors.Join(m.errs...)
}

// maker has what the caches have in common.
type maker struct {
	loadTimeout time.Duration
	set         *cache.Set // may be nil
	errs        []error
}

func made[K comparable, V any](m *maker, cfg cache.Config[V]) *cache.Cache[K, V] {
	cfg.LoadTimeout = m.loadTimeout
	c, err := cache.New[K](cfg)
	if err == nil && m.set != nil {
		err = m.set.Add(c)
	}
	m.errs = append(m.errs, err)
	return c
}
