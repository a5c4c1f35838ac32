# How every layer is built: wheels for the target platform alone, checked by hash, and bytecode for all of it.
# `sam build` runs a layer's Makefile in a copy of its folder, with ARTIFACTS_DIR. Each layer links to this file, so that
# its cache notices a change here.

ARCH ?= arm64
# The first Python 3.13 with pip: a version manager's shim may refuse to run, and Debian's own has no pip.
PROJECT := $(dir $(realpath $(lastword $(MAKEFILE_LIST))))..
ifndef LAYER_PYTHON
LAYER_PYTHON := $(shell for p in python3.13 "$(PROJECT)/.venv/bin/python" "$(PROJECT)/.local/venvs/stack/bin/python" /usr/bin/python3.13 /usr/local/bin/python3.13; do \
	"$$p" -c 'import pip, sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null && echo "$$p" && break; done)
endif

ifeq ($(filter arm64 x86_64,$(ARCH)),)
$(error ARCH is arm64 or x86_64, not "$(ARCH)")
endif
ifneq ($(shell "$(LAYER_PYTHON)" -c 'import pip, sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null),3.13)
$(error a layer is built by Python 3.13, whose bytecode Lambda runs, and pip: set LAYER_PYTHON to one, not "$(LAYER_PYTHON)")
endif

.SILENT:

SITE := $(ARTIFACTS_DIR)/python
MACHINE := $(patsubst arm64,aarch64,$(ARCH))
# pip takes a platform tag literally, so each C library that Lambda's own (2.34) can stand in for is named.
PLATFORMS := $(foreach minor,28 27 26 25 24 23 22 21 20 19 18 17,--platform manylinux_2_$(minor)_$(MACHINE))
PIP := "$(LAYER_PYTHON)" -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-compile --require-hashes
FOR_LAMBDA := --no-deps --implementation cp --python-version 3.13 --target "$(SITE)" \
	$(PLATFORMS) --platform manylinux2014_$(MACHINE)

STRIP := $(dir $(lastword $(MAKEFILE_LIST)))strip.py

# The services that a function calls, those that botocore asks for credentials, and X-Ray, whose SDK has a client: its data
# of 430 others is most of what a deployment would upload, 17 MB in each layer with boto3. A test compares them with the
# clients in the code. Of their versions boto3 takes the last; examples are for documentation.
SERVICES := cloudformation cloudfront cloudwatch dynamodb events kms lambda logs s3 s3vectors sagemaker sagemaker-runtime \
	secretsmanager signin sqs sso sso-oidc stepfunctions sts xray
define keep_services
	find "$(SITE)/botocore/data" -mindepth 1 -maxdepth 1 -type d $(foreach service,$(SERVICES),! -name $(service)) -exec rm -rf {} +
	for service in "$(SITE)"/botocore/data/*/; do ls -d "$$service"*/ | sort | sed '$$d' | tr '\n' '\0' | xargs -0 rm -rf; done
	find "$(SITE)/botocore/data" -name 'examples-*.json*' -delete
endef

# Drops what never runs and what differs from one build to the next, so that equal sources give an equal layer. METADATA,
# licences and notices stay: scanners read the one, and the others must travel along. Bytecode is unchecked, because a zip loses
# the times that other bytecode is checked by, and names the files by their place in Lambda.
define finish
	find "$(SITE)" -type d -name __pycache__ -prune -exec rm -rf {} +
	find "$(SITE)" -type f \( -name '*.pyi' -o -name '*.h' \) -delete
	find "$(SITE)" -path '*.dist-info/*' -type f ! -name METADATA ! -iname '*licen[cs]e*' ! -iname 'notice*' ! -path '*/licenses/*' -delete
	rm -rf "$(SITE)/bin"
	"$(LAYER_PYTHON)" -B "$(STRIP)" "$(SITE)"
	PYTHONHASHSEED=0 "$(LAYER_PYTHON)" -m compileall -q --invalidation-mode unchecked-hash -s "$(ARTIFACTS_DIR)" -p /opt "$(SITE)"
	chmod -R u=rwX,go=rX "$(SITE)"
endef
