// What lies here is compiled inside a copy of gitleaks' sources, by
// scripts/eval-secrets; the module keeps it, and gitleaks, out of the product.
module assay/tools/gitleaks-samples

go 1.26

require github.com/zricethezav/gitleaks/v8 v8.30.1
