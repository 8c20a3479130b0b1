package config

import (
	"net/url"

	"assay/internal/secret"
)

// Secrets are all secrets of the config, for whoever keeps them out of logs. A
// password in a URL is one by itself, as it is and as the URL writes it.
func (c Config) Secrets() []secret.Secret {
	list := append([]secret.Secret{
		c.App.PrivateKey, c.Server.AdminToken, c.Server.SARIFSecret, c.Storage.Database.URL,
		c.Models.OpenAI.Key, c.Models.Anthropic.Key, c.Models.Gemini.Key, c.Models.Ollama.Key,
	}, c.App.WebhookSecrets...)
	for _, e := range c.Models.Endpoints {
		list = append(list, e.Key)
	}
	for _, header := range c.Traces.Headers {
		list = append(list, header)
	}
	for _, password := range passwords(c.Storage.Database.URL.Reveal()) {
		list = append(list, secret.New(password))
	}
	return list
}

// passwords are those of a database's URL.
func passwords(text string) []string {
	u, err := url.Parse(text)
	if err != nil {
		return nil
	}
	password, _ := u.User.Password()
	return []string{password, u.Query().Get("password"), u.Query().Get("sslpassword")}
}
