package health

import "assay/internal/cache"

// Caches are the caches, by name.
type Caches struct {
	Check
	Caches map[string]Cache `json:"caches"`
}

// Cache is what one cache holds and has been through. HitRate is the share of
// hits among hits and misses.
type Cache struct {
	Name        string  `json:"name"`
	TTLSeconds  float64 `json:"ttlSeconds"`
	Size        int     `json:"size"`
	MaxSize     int     `json:"maxSize"`
	Bytes       int64   `json:"bytes"`
	MaxBytes    int64   `json:"maxBytes,omitempty"`
	Loading     int     `json:"loading"`
	Hits        uint64  `json:"hits"`
	Misses      uint64  `json:"misses"`
	HitRate     float64 `json:"hitRate"`
	Loads       uint64  `json:"loads"`
	SharedLoads uint64  `json:"sharedLoads"`
	LoadErrors  uint64  `json:"loadErrors"`
	Stale       uint64  `json:"stale"`
	ErrorHits   uint64  `json:"errorHits"`
	Evictions   uint64  `json:"evictions"`
	Oversize    uint64  `json:"oversize"`
}

// CacheOf puts a cache's statistics in the words of the routes.
func CacheOf(s cache.Stats) Cache {
	c := Cache{
		Name: s.Name, TTLSeconds: s.TTL.Seconds(), Size: s.Size, MaxSize: s.MaxSize, Bytes: s.Bytes, MaxBytes: s.MaxBytes, Loading: s.Loading,
		Hits: s.Hits, Misses: s.Misses, Loads: s.Loads, SharedLoads: s.Shared, LoadErrors: s.Errors,
		Stale: s.Stale, ErrorHits: s.ErrorHits, Evictions: s.Evictions, Oversize: s.Oversize,
	}
	if gets := s.Hits + s.Misses; gets > 0 {
		c.HitRate = float64(s.Hits) / float64(gets)
	}
	return c
}

// CacheReport is the answer of GET /api/cache/stats.
type CacheReport struct {
	Caches map[string]Cache `json:"caches"`
}

// CacheStats reports on the caches alone.
func (s Sources) CacheStats() CacheReport { return CacheReport{s.caches().Caches} }

// caches never degrade the service: a cache whose loads fail stands behind a
// breaker.
func (s Sources) caches() Caches {
	c := Caches{Check: Check{Healthy, "for information"}, Caches: map[string]Cache{}}
	if s.Caches == nil {
		return c
	}
	for _, stats := range s.Caches() {
		c.Caches[stats.Name] = CacheOf(stats)
	}
	return c
}
