package config

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/internal/secret"
)

func TestModels(t *testing.T) {
	got, err := Load(environ{
		"OPENAI_API_KEY": "sk-1", "ANTHROPIC_API_KEY": "sk-2", "ANTHROPIC_BASE_URL": "https://gateway.example.com/", "GOOGLE_API_KEY": "g",
		"OLLAMA_BASE_URL":     "http://ollama:11434/",
		"ASSAY_MODEL_DEFAULT": "anthropic/claude-sonnet-5-5, openai/gpt-5.4 ,ollama/qwen3:32b", "ASSAY_MODEL_FAST": "openai/meta/llama@4",
		"ASSAY_MODEL_FIRST_TOKEN_TIMEOUT": "3m", "ASSAY_MODEL_IDLE_TIMEOUT": "1s", "ASSAY_MODEL_TIMEOUT": "1h", "ASSAY_MODEL_CONCURRENCY": "2",
		"ASSAY_MODEL_PROXY": "environment", "ASSAY_BREAKER_OLLAMA_FAILURE_THRESHOLD": "9",
	}.lookup)
	if err != nil {
		t.Fatal(err)
	}
	chain := []Model{{"anthropic", "claude-sonnet-5-5"}, {"openai", "gpt-5.4"}, {"ollama", "qwen3:32b"}}
	want := Models{
		OpenAI: ModelProvider{Key: secret.New("sk-1")}, Anthropic: ModelProvider{URL: "https://gateway.example.com", Key: secret.New("sk-2")},
		Gemini: ModelProvider{Key: secret.New("g")}, Ollama: ModelProvider{URL: "http://ollama:11434/v1"},
		Default: chain, Fast: []Model{{"openai", "meta/llama@4"}}, Deep: chain,
		FirstToken: 3 * time.Minute, Idle: time.Second, Timeout: time.Hour, Concurrent: 2, Proxy: true,
	}
	if d := cmp.Diff(want, got.Models); d != "" {
		t.Error(d)
	}
	if got.Breakers.Ollama.FailureThreshold != 9 || got.Breakers.OpenAI.MaxResetTimeout != 10*time.Minute {
		t.Errorf("breakers %+v", got.Breakers)
	}
	secrets := 0
	for _, s := range got.Secrets() {
		if text := s.Reveal(); text == "sk-1" || text == "sk-2" || text == "g" {
			secrets++
		}
	}
	if secrets != 3 {
		t.Errorf("%d of 3 keys are among the secrets", secrets)
	}
}

func TestModelProblems(t *testing.T) {
	tests := []struct {
		env  environ
		says string
	}{
		{environ{"ASSAY_MODEL_DEFAULT": "openai/gpt-5.4"}, "names openai, but OPENAI_API_KEY is not set"},
		{environ{"ASSAY_MODEL_DEFAULT": "ollama/x"}, "names ollama, but OLLAMA_BASE_URL is not set"},
		{environ{"ASSAY_MODEL_DEFAULT": "opneai/gpt-5.4"}, "did you mean openai/gpt-5.4?"},
		{environ{"ASSAY_MODEL_DEFAULT": "Anthropic/claude"}, "did you mean anthropic/claude?"},
		{environ{"ASSAY_MODEL_DEFAULT": "claude-sonnet-5-5"}, "did you mean anthropic/claude-sonnet-5-5?"},
		{environ{"ASSAY_MODEL_DEFAULT": "google/gemini-3"}, "did you mean gemini/gemini-3?"},
		{environ{"ASSAY_MODEL_DEFAULT": "mystery/x"}, "there are openai, anthropic, gemini, ollama"},
		{environ{"ASSAY_MODEL_DEFAULT": "openai"}, "names no model of openai"},
		{environ{"ASSAY_MODEL_DEFAULT": "openai/"}, "cannot be one"},
		{environ{"OPENAI_API_KEY": "k", "ASSAY_MODEL_DEFAULT": "openai/a,"}, "empty part"},
		{environ{"OPENAI_API_KEY": "k", "ASSAY_MODEL_DEFAULT": "openai/a,openai/a"}, "twice"},
		{environ{"OPENAI_API_KEY": "k", "ASSAY_MODEL_DEFAULT": "openai/1,openai/2,openai/3,openai/4,openai/5,openai/6,openai/7,openai/8,openai/9"}, "more than 8"},
		{environ{"OPENAI_API_KEY": "k", "ASSAY_MODEL_FAST": "openai/a"}, "while ASSAY_MODEL_DEFAULT is not set"},
		{environ{"OPENAI_API_KEY": "sk-kanarie", "OPENAI_BASE_URL": "http://vllm:8000/v1"}, "in the clear"},
		{environ{"OPENAI_BASE_URL": "http://u:p@vllm:8000/v1"}, "password"},
		{environ{"OPENAI_API_KEY": "sk-kanarie two"}, "header cannot carry"},
		{environ{"ASSAY_MODEL_PROXY": "yes"}, "none or environment"},
		{environ{"ASSAY_MODEL_TIMEOUT": "2h"}, "out of range"},
		{environ{"ASSAY_MODEL_CONCURRENCY": "0"}, "out of range"},
	}
	for _, tt := range tests {
		_, err := Load(tt.env.lookup)
		if err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%v: error %v, want %q", tt.env, err, tt.says)
		}
		if err != nil && strings.Contains(err.Error(), "kanarie") {
			t.Errorf("the error tells the key: %v", err)
		}
	}
	for _, good := range []environ{
		{"OPENAI_BASE_URL": "http://vllm:8000/v1", "ASSAY_MODEL_DEFAULT": "openai/x"},
		{"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://127.0.0.1:8000/v1"},
	} {
		if _, err := Load(good.lookup); err != nil {
			t.Errorf("%v: %v", good, err)
		}
	}
}
