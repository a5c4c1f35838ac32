# How fonts of text overlays get into a layer, which a function reads in /opt/fonts. Noto Sans CJK has 33 MB, which every
# cold start would have to fetch, so that its rare characters are left out. Italics too: no option chooses them.
FONTS_HOME := $(dir $(lastword $(MAKEFILE_LIST)))
FONT_WHEELS := $(CURDIR)/.font-wheels
FONT_TOOLS := $(CURDIR)/.font-tools
FONTS := $(ARTIFACTS_DIR)/fonts

define add_fonts
	$(PIP) --no-deps --only-binary :all: --target "$(FONT_WHEELS)" -r "$(FONTS_HOME)requirements.txt"
	$(PIP) --no-deps --only-binary :all: --platform any --target "$(FONT_TOOLS)" -r "$(FONTS_HOME)requirements-build.txt"
	mkdir -p "$(FONTS)/licences"
	cp "$(FONT_WHEELS)"/manimgx_fonts/*.ttf "$(FONTS)"
	rm -f "$(FONTS)"/*Italic*
	PYTHONPATH="$(FONT_TOOLS)" "$(LAYER_PYTHON)" -B "$(FONTS_HOME)reduce_cjk.py" "$(FONT_WHEELS)"/manimgx_fonts_cjk/*.ttc "$(FONTS)/NotoSansCJK.otf"
	for info in "$(FONT_WHEELS)"/*.dist-info; do cp "$$info/licenses/LICENSE" "$(FONTS)/licences/$$(basename "$$info" .dist-info)"; done
	rm -rf "$(FONT_WHEELS)" "$(FONT_TOOLS)"
	chmod -R u=rwX,go=rX "$(FONTS)"
endef
