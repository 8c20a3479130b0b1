package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"strings"

	"github.com/labstack/echo/v4"
)

//go:embed assets
var files embed.FS

// assets are the embedded files under names that hold their content's hash, so
// that browsers may keep them for ever.
type assets struct {
	byName map[string]asset
	hashed map[string]string
}

type asset struct {
	contentType string
	body        []byte
}

var assetTypes = map[string]string{".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}

func loadAssets() (assets, error) {
	a := assets{byName: make(map[string]asset), hashed: make(map[string]string)}
	entries, err := files.ReadDir("assets")
	if err != nil {
		return assets{}, fmt.Errorf("list assets: %w", err)
	}
	for _, e := range entries {
		body, err := files.ReadFile(path.Join("assets", e.Name()))
		if err != nil {
			return assets{}, fmt.Errorf("read asset %s: %w", e.Name(), err)
		}
		ext := path.Ext(e.Name())
		sum := sha256.Sum256(body)
		hashed := strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext
		a.byName[hashed] = asset{contentType: assetTypes[ext], body: body}
		a.hashed[e.Name()] = "/assets/" + hashed
	}
	return a, nil
}

// path is the address of an asset.
func (a assets) path(name string) string { return a.hashed[name] }

// Assets answers /assets/*. Only the names of this build are known: a page of
// an older one that is still open gets 404, not another file.
func (p *Pages) Assets(c echo.Context) error {
	h := c.Response().Header()
	secure(h)
	found, ok := p.assets.byName[c.Param("*")]
	if !ok {
		return c.String(http.StatusNotFound, "no such file\n")
	}
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	return c.Blob(http.StatusOK, found.contentType, found.body)
}
