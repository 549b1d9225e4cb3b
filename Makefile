# Postern: `make demo` shows the main job, `make check` proves it; README.md tells more.

MODE ?= release
O := build/$(MODE)
BIN := $(if $(filter release,$(MODE)),build/bin,$(O)/bin)
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
conf = $(shell head -n1 conf-files/conf-$(1))

# The map: every program; the parts of its folder that it needs beside lib/ (_SRCS), and its libraries (_LIBS).
PASSING := smtpd/postern-smtpd scanq/postern-scanq queue/postern-queue local/postern-local \
  local/postern-vdeliver
RESIDENT := queue/postern-send queue/postern-bounce queue/postern-qread queue/postern-qstat \
  queue/postern-qctl \
  queue/postern-qcheck \
  scanq/postern-antivirus quarantine/postern-quarantine \
  local/postern-lspawn local/postern-newu local/postern-newv remote/postern-rspawn remote/postern-remote dnsq/postern-dnsq \
  service/postern-cdbmake \
  inject/postern-inject inject/postern-pickup inject/postern-sendmail \
  service/postern-ask service/postern-bind service/postern-serve service/postern-init service/postern-showctl

postern-queue_SRCS = queue/kept.cc queue/queue_user.cc
postern-scanq_SRCS = scanq/direction.cc scanq/edits.cc scanq/scan.cc scanq/stages.cc
postern-send_SRCS = queue/attempts.cc queue/bounce_request.cc queue/bounces.cc queue/channel.cc queue/delivery.cc queue/diagnosis.cc \
  queue/intake.cc queue/notices.cc queue/pass.cc queue/queue_lock.cc queue/removal.cc queue/reports.cc queue/rewrite.cc queue/schedule.cc queue/send_settings.cc queue/signals.cc \
  queue/carry_out.cc queue/orders.cc
postern-bounce_SRCS = queue/bounce_request.cc queue/diagnosis.cc queue/dsn.cc queue/dsn_text.cc
postern-qread_SRCS = queue/attempts.cc queue/json_text.cc queue/orders.cc queue/selection.cc
delivery_parts = dot_qmail dot_qmail_file forward mailbox maildir mbox outcome program_line trace_fields
postern-local_SRCS = $(delivery_parts:%=local/%.cc)
postern-vdeliver_SRCS = local/cdb_file.cc local/forward.cc local/maildir.cc local/maildir_quota.cc local/outcome.cc local/virtual_users.cc
postern-newv_SRCS = local/cdb_file.cc local/maildir_quota.cc local/virtual_users.cc
postern-newu_SRCS = local/assign.cc local/cdb_file.cc
postern-lspawn_SRCS = local/account.cc local/alias.cc local/assign.cc local/cdb_file.cc local/local_child.cc local/outcome.cc local/trace_fields.cc
postern-smtpd_SRCS = $(addprefix smtpd/,client.cc command.cc connections.cc data.cc envelope_command.cc event_log.cc \
  header_scan.cc message.cc path.cc replies.cc session.cc session_message.cc settings.cc tcp_rules.cc)
remote_parts = delivery idn message_body report routes settings smtp_commands smtp_reply smtp_session smtp_transaction targets
postern-qstat_SRCS = queue/attempts.cc queue/json_text.cc queue/orders.cc queue/selection.cc
postern-qctl_SRCS = queue/attempts.cc queue/orders.cc queue/queue_user.cc queue/selection.cc
postern-qcheck_SRCS = queue/attempts.cc queue/check_owners.cc queue/check_spool.cc queue/findings.cc queue/orders.cc queue/queue_user.cc
postern-remote_SRCS = $(remote_parts:%=remote/%.cc)
postern-rspawn_SRCS = $(remote_parts:%=remote/%.cc)
postern-remote_LIBS = -lidn2
postern-rspawn_LIBS = -lidn2
postern-dnsq_SRCS = dnsq/descriptors.cc dnsq/dns_file.cc dnsq/dns_name.cc dnsq/dns_record.cc dnsq/dns_service.cc dnsq/inquiry.cc dnsq/unbound_source.cc
inject_parts = address_list compose hand_in header message_text setup
postern-inject_SRCS = $(inject_parts:%=inject/%.cc)
postern-sendmail_SRCS = $(inject_parts:%=inject/%.cc) inject/sendmail_options.cc
postern-pickup_SRCS = inject/counter.cc inject/incoming.cc inject/message_text.cc inject/pickup_settings.cc inject/turns.cc
postern-init_SRCS = service/accounts.cc service/control_defaults.cc service/init_options.cc service/install_files.cc \
  service/run_scripts.cc service/services.cc
postern-bind_SRCS = service/init_options.cc service/listen_tcp.cc
postern-showctl_SRCS = service/check_control.cc service/check_domains.cc service/init_options.cc service/services.cc
postern-cdbmake_SRCS = service/tables.cc
postern-dnsq_LIBS = -lunbound
postern-quarantine_SRCS = quarantine/quarantine_store.cc quarantine/quarantine_list.cc quarantine/quarantine_release.cc
postern-antivirus_SRCS = scanq/antivirus_engine.cc scanq/antivirus_mime.cc scanq/antivirus_scan.cc scanq/antivirus_scratch.cc
postern-antivirus_LIBS = -lclamav $(shell pkg-config --libs gmime-3.0)
scanq_FLAGS = $(patsubst -I%,-isystem %,$(shell pkg-config --cflags gmime-3.0))

# Tests are compiled once and run once: not worth optimising.
tests_FLAGS = -O0 -U_FORTIFY_SOURCE

PROGRAMS := $(foreach p,$(PASSING) $(RESIDENT),$(if $(wildcard $(p).cc),$(p)))
NAMES := $(notdir $(PROGRAMS))
FOLDERS := smtpd scanq queue local remote dnsq quarantine service \
  inject
SOURCES := $(basename $(wildcard $(addsuffix /*.cc,$(FOLDERS))))
PARTS := $(foreach s,$(SOURCES),$(if $(filter postern-%,$(notdir $(s))),,$(s)))
objects = $(patsubst %,$(O)/%.o,$(1))
LIB := $(O)/libpostern.a

CPPFLAGS_ALL = -I. -D_GNU_SOURCE -DPOSTERN_DEFAULT_HOME='"$(call conf,home)"' -DPOSTERN_SPLIT=$(call conf,split) $(CPPFLAGS)
CXXFLAGS_release = -O2 -g -fstack-protector-strong -D_FORTIFY_SOURCE=3
CXXFLAGS_asan = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CXXFLAGS_cover = -O0 -g --coverage
CXXFLAGS_ALL = -std=c++20 -fPIE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Werror \
  -D_GLIBCXX_ASSERTIONS $(CXXFLAGS_$(MODE)) $(CXXFLAGS)
LDFLAGS_ALL = -Wl,-z,relro,-z,now -Wl,--as-needed $(filter -fsanitize% --coverage,$(CXXFLAGS_$(MODE))) $(LDFLAGS)
# Passing programs are fully static (the sanitizers cannot be); the others carry their own C++ library.
LINK_passing = $(if $(filter release,$(MODE)),-static-pie,-pie)
LINK_resident = $(if $(filter release,$(MODE)),-static-libstdc++ -static-libgcc) -pie

all: $(addprefix $(BIN)/,$(NAMES))

$(O)/%.o: %.cc
	@mkdir -p $(@D)
	@echo "  CXX $@"
	@$(CXX) $(CPPFLAGS_ALL) $(CXXFLAGS_ALL) $($(firstword $(subst /, ,$*))_FLAGS) -MMD -MP -c $< -o $@

$(LIB): $(call objects,$(basename $(wildcard lib/*.cc)))
	@rm -f $@
	@$(AR) rcs $@ $^

# The default control files, one C++ string each, for postern-init to write where an instance has none.
$(O)/service/control_defaults.inc: $(filter-out conf-files/conf-%,$(wildcard conf-files/*)) Makefile
	@mkdir -p $(@D)
	@for f in $(filter conf-files/%,$^); do printf '{"%s", R"text(' $${f##*/}; cat $$f; printf ')text"},\n'; done > $@
$(O)/service/control_defaults.o: $(O)/service/control_defaults.inc
service_FLAGS = -I$(O)/service

define link
$(BIN)/$(notdir $(1)): $(O)/$(1).o $(call objects,$(basename $($(notdir $(1))_SRCS))) $(LIB)
	@mkdir -p $$(@D)
	@echo "  LINK $$@"
	@$$(CXX) $$(LDFLAGS_ALL) $$(LINK_$(2)) $$^ $$($(notdir $(1))_LIBS) -lcdb -lxxhash -o $$@
endef
$(foreach p,$(PASSING),$(eval $(call link,$(p),passing)))
$(foreach p,$(RESIDENT),$(eval $(call link,$(p),resident)))

# One binary of all unit tests; `build/release/unit -sf='*verdict*'` runs one file's.
$(O)/unit: $(call objects,$(basename $(wildcard tests/unit/*.cc)) $(PARTS)) $(LIB)
	@echo "  LINK $@"
	@$(CXX) $(LDFLAGS_ALL) -pie $^ -lunbound -lidn2 $(postern-antivirus_LIBS) -lcdb -lxxhash -o $@

unit: $(O)/unit

# Debian 12 packages: to build; to run; for the demo, the tests and the benchmark.
PACKAGES := g++ make pkg-config libunbound-dev libidn2-dev libclamav-dev libgmime-3.0-dev libcdb-dev libxxhash-dev doctest-dev \
  daemontools ucspi-tcp-ipv6 \
  swaks nsd ldnsutils dnsutils postfix clamav-testfiles spamassassin zip strace procps psmisc python3 binutils file \
  dot-forward maildrop procmail mutt php-cli \
  python3-flufl.bounce python3-xxhash

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
	@bash tests/bench/run.sh build/bin
	@bash tests/bench/run.sh build/bin --av
	@/usr/bin/python3 -B tests/bench/starve.py build/bin
	@/usr/bin/python3 -B tests/bench/restart.py build/bin

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
-include $(shell find $(O) -name '*.d' 2>/dev/null)
