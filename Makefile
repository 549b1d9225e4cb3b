# Postern: `make demo` shows the main job, `make check` proves it; README.md tells more.

MODE ?= release
# What only the tests run is compiled with clang: in half the time, and two compilers see more than one.
CXX_asan = clang++
ifneq ($(CXX_$(MODE)),)
CXX := $(CXX_$(MODE))
endif
O := build/$(MODE)
BIN := $(if $(filter release,$(MODE)),build/bin,$(O)/bin)
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
conf = $(shell head -n1 conf-files/conf-$(1))

# The map: every program, and the libraries that it needs (_LIBS). A program is its main file and what it uses
# of the parts in its own folder and of lib/.
PASSING := smtpd/postern-smtpd \
  scanq/postern-scanq \
  queue/postern-queue \
  local/postern-local local/postern-vdeliver
RESIDENT := \
  smtpd/postern-trace \
  scanq/postern-antivirus \
  scanq/postern-clamserver \
  scanq/postern-clamd \
  scanq/postern-stagetest \
  queue/postern-send queue/postern-bounce queue/postern-workq \
  queue/postern-qread queue/postern-qstat queue/postern-qctl queue/postern-qcheck \
  local/postern-lspawn local/postern-newu local/postern-newv local/postern-userq \
  remote/postern-rspawn remote/postern-remote remote/postern-callahead remote/postern-dane remote/postern-stsd remote/postern-tlsrpt \
  dnsq/postern-dnsq \
  receipt/postern-access \
  ldapq/postern-ldapq \
  receipt/postern-spf \
  sign/postern-signq sign/postern-dkim-key \
  auth/postern-authq auth/postern-checkpassword auth/postern-passwd \
  receipt/postern-hat \
  tlsd/postern-tlsd \
  receipt/postern-rated receipt/postern-repd \
  quarantine/postern-quarantine \
  inject/postern-inject inject/postern-sendmail inject/postern-pickup \
  service/postern-ask service/postern-bind service/postern-serve \
  service/postern-init service/postern-showctl service/postern-cdbmake \
  service/postern-selftest \
  receipt/postern-rcpt

# Beside its own folder and lib/: what two programs decide alike.
postern-smtpd_FOLDERS = receipt
postern-trace_FOLDERS = receipt
postern-showctl_FOLDERS = receipt
postern-init_FOLDERS = receipt

postern-antivirus_LIBS = -lclamav -lseccomp
postern-dnsq_LIBS = -lunbound
postern-quarantine_LIBS = -lsqlite3
postern-stsd_LIBS = -lcurl -lcrypto
postern-tlsrpt_LIBS = -lcurl -lz
postern-remote_LIBS = -lssl -lcrypto
postern-rspawn_LIBS = $(postern-remote_LIBS)
postern-dane_LIBS = $(postern-remote_LIBS)
postern-callahead_LIBS = $(postern-remote_LIBS)
postern-signq_LIBS = -lcrypto
postern-dkim-key_LIBS = -lcrypto
postern-authq_LIBS = -lcrypto
postern-checkpassword_LIBS = -lcrypt -lcrypto
postern-passwd_LIBS = $(postern-checkpassword_LIBS)
postern-access_LIBS = -lre2
postern-showctl_LIBS = -lre2
postern-ldapq_LIBS = -lldap -llber
postern-hat_LIBS = -lmaxminddb
postern-tlsd_LIBS = -lssl -lcrypto

PROGRAMS := $(foreach p,$(PASSING) $(RESIDENT),$(if $(wildcard $(p).cc),$(p)))
NAMES := $(notdir $(PROGRAMS))
FOLDERS := $(sort receipt $(foreach p,$(PASSING) $(RESIDENT),$(firstword $(subst /, ,$(p)))))
SOURCES := $(basename $(wildcard $(addsuffix /*.cc,$(FOLDERS))))
PARTS := $(foreach s,$(SOURCES),$(if $(filter postern-%,$(notdir $(s))),,$(s)))
objects = $(patsubst %,$(O)/%.o,$(1))
LIB := $(O)/libpostern.a

CPPFLAGS_ALL = -I. -D_GNU_SOURCE -DPOSTERN_DEFAULT_HOME='"$(call conf,home)"' -DPOSTERN_SPLIT=$(call conf,split) $(CPPFLAGS)
CXXFLAGS_release = -O2 -g1 -fstack-protector-strong -D_FORTIFY_SOURCE=3
CXXFLAGS_asan = -O0 -g1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CXXFLAGS_cover = -O0 -g --coverage
CXXFLAGS_WARN = -std=c++20 -fPIE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Werror -D_GLIBCXX_ASSERTIONS
CXXFLAGS_ALL = $(CXXFLAGS_WARN) $(CXXFLAGS_$(MODE)) $(CXXFLAGS)
CXXFLAGS_TESTS = $(CXXFLAGS_WARN) -O0 -g1 $(CXXFLAGS)
TESTS_CXX := $(if $(findstring ccache,$(CXX)),ccache )clang++
LDFLAGS_ALL = -Wl,-z,relro,-z,now -Wl,--as-needed $(filter -fsanitize% --coverage,$(CXXFLAGS_$(MODE))) $(LDFLAGS)
# Passing programs are fully static (the sanitizers cannot be); the others carry their own C++ library.
LINK_passing = $(if $(filter release,$(MODE)),-static-pie,-pie)
LINK_resident = $(if $(filter release,$(MODE)),-static-libstdc++ -static-libgcc) -pie

all: $(addprefix $(BIN)/,$(NAMES))

# The standard headers are parsed once: half of the time for what is not optimised, a quarter for the rest. With them so, g++ warns
# of std::string's own bounds when it optimises; with a compiler cache, which does not know how to take them into account, all
# warnings are on.
PCH ?= $(if $(findstring ccache,$(CXX)),no,yes)
PRECOMPILED_LIB := $(O)/lib/precompiled.h
PRECOMPILED_TESTS := build/tests/precompiled.h
$(O)/%.h.gch: %.h
	@mkdir -p $(@D)
	@cp $< $(O)/$*.h
	@$(CXX) $(CPPFLAGS_ALL) $(CXXFLAGS_ALL) -MMD -MP -x c++-header $< -o $@
build/tests/%.h.gch: tests/%.h
	@mkdir -p $(@D)
	@cp $< build/tests/$*.h
	@$(TESTS_CXX) $(CPPFLAGS_ALL) $(CXXFLAGS_TESTS) -MMD -MP -x c++-header $< -o $@
.SECONDARY: $(PRECOMPILED_LIB).gch $(PRECOMPILED_TESTS).gch
PRECOMPILED_release = -include $(PRECOMPILED_LIB) -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread -Wno-restrict
PRECOMPILED_asan = -include $(PRECOMPILED_LIB)
precompiled = $(if $(filter yes,$(PCH)),$(1))
precompiled_for_test = $(if $(filter %_test,$(1)),$(call precompiled,$(2)))

.SECONDEXPANSION:
$(O)/%.o: %.cc | $$(call precompiled,$(if $(PRECOMPILED_$(MODE)),$(PRECOMPILED_LIB).gch))
	@mkdir -p $(@D)
	@echo "  CXX $@"
	@$(CXX) $(CPPFLAGS_ALL) $(CXXFLAGS_ALL) $($(firstword $(subst /, ,$*))_FLAGS) $(call precompiled,$(PRECOMPILED_$(MODE))) -MMD -MP -c $< -o $@

# The tests themselves, once for all modes: compiled by clang, which takes half the time, neither optimised nor with sanitizers. What
# they test goes before them into the sanitizers' program: of an inline function the linker keeps the first.
build/tests/%.o: tests/%.cc | $$(call precompiled_for_test,$$*,$(PRECOMPILED_TESTS).gch)
	@mkdir -p $(@D)
	@echo "  CXX $@"
	@$(TESTS_CXX) $(CPPFLAGS_ALL) $(CXXFLAGS_TESTS) $(call precompiled_for_test,$*,-include $(PRECOMPILED_TESTS)) -MMD -MP -c $< -o $@

$(LIB): $(call objects,$(basename $(wildcard lib/*.cc)))
parts = $(call objects,$(filter $(1)/%,$(PARTS)))
archive = $(if $(call parts,$(1)),$(O)/lib$(1).a)
define folder
$(O)/lib$(1).a: $(call parts,$(1))
endef
$(foreach f,$(FOLDERS),$(eval $(call folder,$(f))))
%.a:
	@rm -f $@
	@$(AR) rcs $@ $^

# The default control files, one C++ string each, for postern-init to write where an instance has none.
$(O)/service/control_defaults.inc: $(filter-out conf-files/conf-%,$(wildcard conf-files/*)) Makefile
	@mkdir -p $(@D)
	@for f in $(filter conf-files/%,$^); do printf '{"%s", R"text(' $${f##*/}; cat $$f; printf ')text"},\n'; done > $@
$(O)/service/control_defaults.o: $(O)/service/control_defaults.inc
service_FLAGS = -I$(O)/service

define link
$(BIN)/$(notdir $(1)): $(O)/$(1).o $(call archive,$(firstword $(subst /, ,$(1)))) $(foreach f,$($(notdir $(1))_FOLDERS),$(call archive,$(f))) $(LIB)
	@mkdir -p $$(@D)
	@echo "  LINK $$@"
	@$$(CXX) $$(LDFLAGS_ALL) $$(LINK_$(2)) $$^ $$($(notdir $(1))_LIBS) -lcdb -lxxhash -lidn2 -lunistring -o $$@
endef
$(foreach p,$(PASSING),$(eval $(call link,$(p),passing)))
$(foreach p,$(RESIDENT),$(eval $(call link,$(p),resident)))

# One binary of all unit tests; `build/release/unit -sf='*verdict*'` runs one file's.
$(O)/unit: $(call objects,$(PARTS) $(basename $(wildcard lib/*.cc))) $(patsubst %.cc,build/%.o,$(wildcard tests/unit/*.cc))
	@echo "  LINK $@"
	@$(CXX) $(LDFLAGS_ALL) -pie $^ -lunbound $(postern-antivirus_LIBS) $(postern-quarantine_LIBS) $(postern-remote_LIBS) \
	  $(postern-tlsrpt_LIBS) $(postern-signq_LIBS) $(postern-passwd_LIBS) $(postern-hat_LIBS) $(postern-access_LIBS) $(postern-ldapq_LIBS) -lcdb -lxxhash -lidn2 -lunistring -o $@

# What the tests ask for a mail's pieces.
$(O)/mime-pieces: build/tests/mime_pieces.o $(O)/libscanq.a $(LIB)
	@$(CXX) $(LDFLAGS_ALL) -pie $^ -lxxhash -o $@

unit: $(O)/unit $(O)/mime-pieces

# libclamav alone, which the benchmark measures the antivirus stage against.
$(O)/scan_directly: tests/bench/scan_directly.cc
	@mkdir -p $(@D)
	@$(CXX) $(filter-out -D_GLIBCXX_ASSERTIONS,$(CXXFLAGS_ALL)) $< -lclamav -o $@

# What W7 of the benchmark relays to.
$(O)/tls_sink: tests/bench/tls_sink.cc
	@mkdir -p $(@D)
	@$(CXX) $(filter-out -D_GLIBCXX_ASSERTIONS,$(CXXFLAGS_ALL)) $< -lssl -lcrypto -o $@

# The clients of tests/bench/tls.py.
$(O)/tls_sessions: tests/bench/tls_sessions.cc
	@mkdir -p $(@D)
	@$(CXX) $(filter-out -D_GLIBCXX_ASSERTIONS,$(CXXFLAGS_ALL)) $< -lssl -lcrypto -o $@

# What asks postern-rated, to see what a decision costs.
$(O)/rates_cost: tests/bench/rates_cost.cc $(O)/libreceipt.a $(LIB)
	@$(CXX) $(CPPFLAGS_ALL) $(CXXFLAGS_ALL) $(LDFLAGS_ALL) -pie $^ -lxxhash -lidn2 -lunistring -o $@

# Debian 12 packages: to build; to run; for the demo, the tests and the benchmark.
PACKAGES := g++ clang libclang-rt-dev make pkg-config libunbound-dev libidn2-dev libunistring-dev libclamav-dev libseccomp-dev libgmime-3.0-dev libssl-dev libcdb-dev libxxhash-dev libmaxminddb-dev libre2-dev \
  nlohmann-json3-dev doctest-dev \
  libsqlite3-dev libssl-dev openssl libcurl4-openssl-dev zlib1g-dev libldap-dev \
  daemontools ucspi-tcp-ipv6 \
  swaks nsd ldnsutils unbound dnsutils postfix clamav-testfiles clamav-daemon clamav-milter clamdscan spamassassin zip strace procps psmisc python3 binutils file \
  dot-forward maildrop procmail mutt php-cli slapd ldap-utils \
  ripmime mpack uudeview tnef libmime-tools-perl \
  python3-flufl.bounce libmail-deliverystatus-bounceparser-perl python3-xxhash python3-dkim python3-yaml opendkim-tools gsasl msmtp curl jq dovecot-lmtpd dovecot-sieve

deps:
	@missing=$$(for p in $(PACKAGES); do dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
	else \
	  echo "Packages are missing. As root:" $$missing; echo "  apt-get install --no-install-recommends" $$missing; exit 1; \
	fi

# Programs and tests where every user can read them: only root may be able to enter the checkout.
DEMO := d=$$(mktemp -d /tmp/postern-demo.XXXXXX) && chmod 755 $$d && trap 'rm -rf $$d' EXIT && \
  $(MAKE) -s install PREFIX=$$d && cp -r tests $$d/tests && bash $$d/tests/demo.sh $$d/bin
demo: deps
	@$(MAKE) -s -j$(JOBS) all
	@$(DEMO)
run: deps
	@$(MAKE) -s -j$(JOBS) all
	@$(DEMO) --stay

check: deps
	@$(MAKE) -s -j$(JOBS) all unit
	@$(MAKE) -s -j$(JOBS) MODE=asan unit
	@bash tests/run.sh build $(TEST)

bench: deps
	@$(MAKE) -s -j$(JOBS) all
	@$(MAKE) -s $(O)/tls_sink
	@bash tests/bench/run.sh build/bin --tls-sink $(CURDIR)/$(O)/tls_sink
	@bash tests/bench/run.sh build/bin --checks list --no-postfix --no-strace --only W1,W2
	@$(MAKE) -s $(O)/scan_directly
	@bash tests/bench/run.sh build/bin --av --only W1,W2,W3,W4,W4a --scan-directly $(CURDIR)/$(O)/scan_directly
	@/usr/bin/python3 -B tests/bench/starve.py build/bin
	@/usr/bin/python3 -B tests/bench/restart.py build/bin
	@$(MAKE) -s $(O)/tls_sessions
	@/usr/bin/python3 -B tests/bench/tls.py build/bin $(O)/tls_sessions
	@$(MAKE) -s $(O)/rates_cost
	@bash tests/bench/rates.sh build/bin $(O)/rates_cost
	@/usr/bin/python3 -B tests/bench/scale.py build/bin

fuzz: deps
	@bash tests/fuzz/run.sh $(SECONDS_EACH)

install: all
	@install -d -m 755 $(addprefix $(DESTDIR)$(PREFIX)/,bin share/man/man5 share/man/man7 share/man/man8)
	@install -m 755 $(addprefix $(BIN)/,$(NAMES)) $(DESTDIR)$(PREFIX)/bin/
	@install -m 644 $(wildcard doc/man/*.5) $(DESTDIR)$(PREFIX)/share/man/man5/
	@install -d -m 755 $(DESTDIR)$(PREFIX)/lib/postern
	@for name in sendmail mailq newaliases; do ln -sfn ../../bin/postern-sendmail $(DESTDIR)$(PREFIX)/lib/postern/$$name; done
	@install -m 644 $(wildcard doc/man/*.7) $(DESTDIR)$(PREFIX)/share/man/man7/
	@install -m 644 $(wildcard doc/man/*.8) $(DESTDIR)$(PREFIX)/share/man/man8/

clean:
	rm -rf build

.PHONY: all unit deps demo run check bench fuzz install clean
-include $(shell find $(O) build/tests -name '*.d' 2>/dev/null)
