module assay/tools

go 1.26.0
