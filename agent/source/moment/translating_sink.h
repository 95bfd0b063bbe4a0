// TranslatingSink: gives entries that were read of a Moment what their originals have.
#pragma once

#include "agent/source/forwarding_sink.h"
#include "agent/source/moment/moment.h"

namespace holdfast::agent::moment {

class TranslatingSink final : public ForwardingSink {
public:
    /// Both outlive it.
    TranslatingSink(const Moment& moment, Sink& to) : ForwardingSink(to), moment_(&moment) {}

    Result<void> add(vault::Entry entry, ContentHandle content) override {
        moment_->translate(entry);
        return ForwardingSink::add(std::move(entry), content);
    }
    Result<bool> add_unchanged(const vault::Entry& entry) override {
        vault::Entry original = entry;
        moment_->translate(original);
        return ForwardingSink::add_unchanged(original);
    }

private:
    const Moment* moment_;
};

}  // namespace holdfast::agent::moment
