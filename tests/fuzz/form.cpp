#include "console/session/form.h"

// A form is read whole or refused, the body is wiped either way, and no field is told from a
// refusal.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace holdfast;
    Buffer body(data, data + size);
    const auto form = console::Form::take(body);
    HF_ASSERT(body.empty());
    if (form) HF_ASSERT(form->size() <= console::form_fields_max);
    (void)console::cookie_value(as_text({data, size}), "__Host-holdfast");
    return 0;
}
