#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# cppcheck over all product code. What is suppressed for all files is justified here, what is
# suppressed in one place is justified there ("// cppcheck-suppress id ; reason").
set -u
cd "$(dirname "$0")/../.." || exit 1
mkdir -p build/lint/cppcheck
suppress=(
	missingIncludeSystem    # the system's headers are not what is checked
	unusedFunction          # a library's functions are called by tests and by other folders
	unmatchedSuppression    # an inline one for a path that this version does not take
	variableScope           # declarations stand at the top of a block, as the kernel's style has it
	constParameterPointer   # callbacks have the type that their table demands
	constParameter          # the same
	constParameterCallback  # the same
	memleak                 # it does not know the cleanup attribute of own_x; the sanitizer finds leaks
	resourceLeak            # the same
	redundantInitialization # own_x variables start empty, so that cleanup never sees garbage
	unreadVariable          # own_x variables are read by their cleanup, which it does not know
	unusedVariable          # the same
	unassignedVariable      # the same
	unusedStructMember      # data structs are read in other folders
	clarifyCalculation      # a * b ? c : d is C that everybody reads
	incorrectLogicOperator:base/json.c # it does not know hexadecimal floating constants
	knownConditionTrueFalse:cli/help.c # what the build defines is known only there
	preprocessorErrorDirective # it reads every #ifdef branch, also those no target takes
)
options=()
for id in "${suppress[@]}"; do
	options+=("--suppress=$id")
done
cppcheck --quiet --enable=warning,style,performance,portability --std=c11 --language=c \
	--inline-suppr --error-exitcode=1 -j "$(nproc)" --cppcheck-build-dir=build/lint/cppcheck \
	--template='{file}:{line}: {severity}: {message} [{id}]' -D_GNU_SOURCE -D__linux__ -D__x86_64__ \
	--include=tests/lint/cppcheck.h -DCTR_VERSION='"0"' -I. "${options[@]}" base cgroups namespaces netsetup runtime cli
