// Gradient checkpoints (Chen et al. 2016, arXiv 1604.06174): a part of a computation keeps its inputs alone, and the
// backward pass computes it again. As PyTorch's reentrant torch.utils.checkpoint.
#include "checkpoint.h"

#include "autocast.h"
#include "../callback.h"
#include "../convert.h"

#include <algorithm>
#include <optional>
#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/saved_variable.h>

namespace bridge {

namespace {

using torch::autograd::Node;
using torch::autograd::variable_list;
using NodePointer = decltype(torch::autograd::Edge::function);

// Nodes are counted by shared_ptr in older versions of libtorch and by intrusive_ptr in newer ones.
template <typename T, typename... Arguments>
auto makeNode(Arguments&&... arguments) {
  if constexpr (std::is_constructible_v<NodePointer, std::shared_ptr<T>>) {
    // Found by its argument's type where there is one: takes long graphs apart without recursion.
    return std::shared_ptr<T>(new T(std::forward<Arguments>(arguments)...), [](auto* node) { deleteNode(node); });
  } else {
    return c10::make_intrusive<T>(std::forward<Arguments>(arguments)...);
  }
}

// What a computation depends on beside its inputs: random numbers and autocast.
class Surroundings {
 public:
  // As they are now on this thread, of the CPU and the tensors' devices.
  explicit Surroundings(const variable_list& tensors) {
    add(at::Device(at::kCPU));
    for (const at::Tensor& tensor : tensors) add(tensor.device());
  }

  void restore() const {
    for (const Place& place : places_) {
      at::Generator generator = at::globalContext().defaultGenerator(place.device);
      std::lock_guard<std::mutex> lock(generator.mutex());
      generator.set_state(place.random);
      setAutocastState(place.autocast);
    }
  }

 private:
  struct Place {
    at::Device device;
    at::Tensor random;
    AutocastState autocast;
  };

  void add(at::Device device) {
    if (std::any_of(places_.begin(), places_.end(), [&](const Place& place) { return place.device == device; })) return;
    at::Generator generator = at::globalContext().defaultGenerator(device);
    std::lock_guard<std::mutex> lock(generator.mutex());
    places_.push_back({device, generator.get_state(), autocastState(device.type())});
  }

  std::vector<Place> places_;
};

// Autocast remembers parameters in reduced precision until it ends. In libtorch 1.13 those that were converted without
// recording serve a recorded computation too, and leave the parameter without a gradient.
class WithoutAutocastCache {
 public:
  WithoutAutocastCache() : before_(at::autocast::is_autocast_cache_enabled()) {
    at::autocast::set_autocast_cache_enabled(false);
  }
  WithoutAutocastCache(const WithoutAutocastCache&) = delete;
  WithoutAutocastCache& operator=(const WithoutAutocastCache&) = delete;
  ~WithoutAutocastCache() { at::autocast::set_autocast_cache_enabled(before_); }

 private:
  bool before_;
};

at::Tensor token() { return at::zeros({}); }

// Computes the body again from the saved inputs, and runs a backward pass of its own through it.
class Recompute : public Node {
 public:
  Recompute(const variable_list& inputs, std::unique_ptr<Callback> body)
      : Node(torch::autograd::collect_next_edges(inputs)), body_(std::move(body)), surroundings_(inputs) {
    for (const at::Tensor& input : inputs) inputs_.emplace_back(input, /*is_output=*/false);
    add_input_metadata(token());
  }

  // In the forward pass.
  at::Tensor compute(const variable_list& inputs) {
    at::NoGradGuard unrecorded;
    WithoutAutocastCache withoutCache;
    const at::Tensor output = body_->call(inputs, "checkpoint");
    const bool isItsOwn = !output.requires_grad() && std::none_of(inputs.begin(), inputs.end(), [&](const auto& input) {
      return output.is_alias_of(input);
    });
    // The same memory without the memory of being a view, which would be recorded as one.
    at::Tensor result = isItsOwn ? output.variable_data() : output.clone();
    form_ = describe(result);
    return result;
  }

  void receive(at::Tensor gradient) {
    if (gradient_.defined()) throw ArgumentError("a checkpoint's backward pass must end before another one begins");
    gradient_ = std::move(gradient);
  }

  variable_list apply(variable_list&&) override {
    const at::Tensor gradient = std::move(gradient_);
    gradient_ = at::Tensor();
    if (!torch::autograd::Engine::get_default_engine().is_checkpoint_valid()) {
      throw ArgumentError("the gradients of a checkpoint must come from backward(), but grad() was called: what the "
                          "body uses beside its inputs would be left out. Call backward() or leave the checkpoint out");
    }
    if (at::GradMode::is_enabled()) {
      throw ArgumentError("createGraph must be false where there is a checkpoint, but is true: the recomputation is "
                          "freed at once. Leave the checkpoint out");
    }
    variable_list gradients(inputs_.size());
    variable_list inputs;
    for (const auto& saved : inputs_) {
      const at::Tensor input = saved.unpack();
      inputs.push_back(input.detach().set_requires_grad(input.requires_grad()));
    }
    if (!gradient.defined()) return gradients;
    const at::Tensor output = recorded(inputs);
    if (!output.requires_grad()) return gradients;
    torch::autograd::backward({output}, {gradient});
    for (size_t i = 0; i < inputs.size(); i++) gradients[i] = inputs[i].grad();
    return gradients;
  }

  void release_variables() override {
    for (auto& saved : inputs_) saved.reset_data();
    body_.reset();
    surroundings_.reset();
  }

  std::string name() const override { return "CheckpointBackward"; }

 private:
  // The body's output with its graph; the surroundings are as before.
  at::Tensor recorded(const variable_list& inputs) {
    const Surroundings own(inputs);
    surroundings_->restore();
    at::Tensor output;
    try {
      at::AutoGradMode recording(true);
      WithoutAutocastCache withoutCache;
      output = body_->call(inputs, "checkpoint");
    } catch (...) {
      own.restore();
      throw;
    }
    own.restore();
    if (describe(output) != form_) {
      throw ArgumentError("a checkpoint's body must give the same in the backward pass, " + form_ + ", but gives " +
                          describe(output));
    }
    return output;
  }

  std::vector<torch::autograd::SavedVariable> inputs_;
  std::unique_ptr<Callback> body_;
  std::optional<Surroundings> surroundings_;
  std::string form_;  // of the output
  at::Tensor gradient_;
};

// The output's node. Gradients on a GPU arrive on that device's thread, where no JavaScript can run. This node hands
// its gradient over and passes on a token: one on the CPU, which brings libtorch back to the thread of backward().
class Receive : public Node {
 public:
  explicit Receive(NodePointer recompute) : Node(torch::autograd::edge_list{{std::move(recompute), 0}}) {}

  variable_list apply(variable_list&& gradients) override {
    static_cast<Recompute&>(*next_edge(0).function).receive(std::move(gradients[0]));
    return {token()};
  }

  std::string name() const override { return "CheckpointGradient"; }
};

}  // namespace

// checkpoint(function(handles) -> handle, input handles) -> output handle, or undefined where nothing is recorded
napi_value checkpoint(Environment& environment, napi_value* values, size_t) {
  environment.releaseReferences();
  const variable_list inputs = tensorsOf(environment, values[1], "inputs");
  if (!at::GradMode::is_enabled() || !torch::autograd::any_variable_requires_grad(inputs)) return nullptr;
  auto recompute = makeNode<Recompute>(inputs, std::make_unique<Callback>(environment, values[0]));
  at::Tensor output = recompute->compute(inputs);
  if (output.is_floating_point()) {
    torch::autograd::create_gradient_edge(output, makeNode<Receive>(std::move(recompute)));
  }
  environment.origin = "checkpoint";
  return handleValue(environment, std::move(output));
}

}  // namespace bridge
