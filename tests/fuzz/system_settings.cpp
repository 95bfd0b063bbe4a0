// A system's settings from a file, or from a manifest that another node wrote.
#include "agent/config/system_settings.h"
#include "vault/base/assert.h"

using namespace holdfast;
using namespace holdfast::agent;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto settings = parse_system(text, "system");
    if (!settings) {
        HF_ASSERT(settings.error().code == Errc::Invalid);
        HF_ASSERT(settings.error().message.starts_with("system:"));
        return 0;
    }
    HF_ASSERT(settings->text == text);
    HF_ASSERT(!settings->name.empty() && !settings->sources.empty());
    HF_ASSERT(!settings->plan || (settings->objectives && settings->fence));
    for (const SourceSettings& source : settings->sources) {
        HF_ASSERT(settings->source(source.name) == &source);
    }
    for (const EndpointSettings& endpoint : settings->endpoints) {
        HF_ASSERT(settings->source(endpoint.source) != nullptr);
    }
    const auto again = parse_system(settings->text, "again");
    HF_ASSERT(again && *again == *settings);
    return 0;
}
