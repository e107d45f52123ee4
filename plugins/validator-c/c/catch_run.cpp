// Catch2's own part of the program, with a listener that reports each test.
// Built once by toolchain/install, else in the room.
#define CATCH_CONFIG_RUNNER
#define CATCH_CONFIG_NO_POSIX_SIGNALS
#include <catch2/catch.hpp>
#include "harness.h"
#include <string>
#include <vector>

namespace {

std::string place(std::string file) {
	for (std::string prefix : {"/room/", "./"})
		if (file.rfind(prefix, 0) == 0) file = file.substr(prefix.size());
	return file;
}

std::string said;
bool ran;

class Reporter : public Catch::TestEventListenerBase {
public:
	using TestEventListenerBase::TestEventListenerBase;

	void testCaseStarting(Catch::TestCaseInfo const &info) override {
		TestEventListenerBase::testCaseStarting(info);
		std::string file = place(info.lineInfo.file);
		said.clear();
		ran = gt_begin(file.c_str(), info.name.c_str()) != 0;
	}

	bool assertionEnded(Catch::AssertionStats const &stats) override {
		auto const &r = stats.assertionResult;
		if (r.isOk() || said.size() > 12000) return false;
		std::string file = place(r.getSourceInfo().file);
		auto cut = [](std::string const &s) { return s.size() > 2000 ? s.substr(0, 2000) + " …" : s; };
		std::string info;
		for (auto const &m : stats.infoMessages)
			if (m.type == Catch::ResultWas::Info || m.type == Catch::ResultWas::Warning) info += (info.empty() ? "" : "\n") + m.message;
		if (r.hasMessage()) info += (info.empty() ? "" : "\n") + std::string(r.getMessage());
		said += file + '\x1f' + std::to_string(r.getSourceInfo().line) + '\x1f' + std::to_string(int(r.getResultType())) + '\x1f' +
			cut(r.hasExpression() ? r.getExpressionInMacro() : std::string()) + '\x1f' + cut(r.hasExpandedExpression() ? r.getExpandedExpression() : std::string()) + '\x1f' + cut(info) + '\x1e';
		return false;
	}

	void testCaseEnded(Catch::TestCaseStats const &stats) override {
		TestEventListenerBase::testCaseEnded(stats);
		if (!ran) return;
		auto const &a = stats.totals.assertions;
		auto const &t = stats.totals.testCases;
		gt_end(t.failed > 0 || a.failed > 0 ? 'f' : 'p', said.c_str());
	}
};

struct Silent : Catch::StreamingReporterBase<Silent> {
	using StreamingReporterBase::StreamingReporterBase;
	static std::string getDescription() { return "prints nothing"; }
	void assertionStarting(Catch::AssertionInfo const &) override {}
	bool assertionEnded(Catch::AssertionStats const &) override { return true; }
};

} // namespace

CATCH_REGISTER_REPORTER("gt-silent", Silent)
CATCH_REGISTER_LISTENER(Reporter)

extern "C" GT_HIDDEN void gt_run_catch() {
	std::vector<std::string> words{"tests", "-r", "gt-silent"};
	if (gt_only) {
		std::string id = gt_only, name;
		auto at = id.find("::");
		for (char c : at == std::string::npos ? id : id.substr(at + 2)) {
			if (c == '\\' || c == ',' || c == '[' || c == '"' || c == '*' || c == '~') name += '\\';
			name += c;
		}
		words.push_back(name);
	}
	std::vector<char const *> argv;
	for (auto const &w : words) argv.push_back(w.c_str());
	Catch::Session().run(int(argv.size()), argv.data());
}
