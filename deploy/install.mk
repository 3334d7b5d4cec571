# SPDX-License-Identifier: GPL-2.0-or-later
#
# Where synfin goes: install, uninstall, the Debian package.  DESTDIR and PREFIX
# as everywhere; one list says what goes where.

PREFIX	?= /usr/local
HOSTCC	?= gcc
INSTALL	?= install
ZSH_DIR	?= site-functions

UNITS	:= synfin-export.service synfin-export.socket synfin-conns.service

# Source:place under PREFIX:mode
INSTALLED := $O/synfin:sbin/synfin:755 $O/synfin.8:share/man/man8/synfin.8:644 \
	     $O/synfin.bash:share/bash-completion/completions/synfin:644 \
	     $O/_synfin:share/zsh/$(ZSH_DIR)/_synfin:644 \
	     $O/synfin.fish:share/fish/vendor_completions.d/synfin.fish:644 \
	     $(foreach u,$(UNITS),$O/units/$u:lib/systemd/system/$u:644)
part	 = $(word $1,$(subst :, ,$2))
sources	 = $(foreach i,$(INSTALLED),$(call part,1,$i))
places	 = $(foreach i,$(INSTALLED),$(DESTDIR)$(PREFIX)/$(call part,2,$i))

# Runs here, whatever the tool is built for.
$O/completion: tools/completion.c user/cli.c user/cli.h
	@mkdir -p $(@D)
	$(call say,HOSTCC)$(HOSTCC) -D_GNU_SOURCE -std=gnu11 $(WARN) -O1 -iquote user -o $@ $(filter %.c,$^)

$O/synfin.bash: $O/completion
	$(call say,SHELL)$< bash >$@
$O/_synfin: $O/completion
	$(call say,SHELL)$< zsh >$@
$O/synfin.fish: $O/completion
	$(call say,SHELL)$< fish >$@

# Units name the program by its full path.
$O/units/%: deploy/systemd/% FORCE
	@mkdir -p $(@D)
	@sed 's,/usr/sbin/synfin,$(PREFIX)/sbin/synfin,' $< >$@

completions: $O/synfin.bash $O/_synfin $O/synfin.fish

install: all completions $(UNITS:%=$O/units/%)	## into PREFIX (/usr/local), under DESTDIR
	$Q$(foreach i,$(INSTALLED),$(INSTALL) -D -m $(call part,3,$i) $(call part,1,$i) \
		$(DESTDIR)$(PREFIX)/$(call part,2,$i) &&) :

uninstall:				## what install put there
	$Qrm -f $(places)

deb: all completions			## a Debian package, in O=
	$QO=$O MAKE="$(MAKE)" deploy/debian/build

.PHONY: completions install uninstall deb
