// CPU판 PyTorch의 비어 있는 CUDA 디스패치 키를 채우는 모의 장치.
//
// 장치의 메모리는 호스트의 메모리다. 연산이 오면(fallback) 규칙을 지키는지 보고, 같은 메모리를 가리키는 CPU 텐서로 바꾸어
// (Call::down) CPU 커널을 부르고, 결과를 다시 장치의 텐서로 감싼다(Call::up). 규칙은 rules.py가 준다.
#include <torch/csrc/utils/pybind.h>

#include <ATen/ATen.h>
#include <ATen/CPUFunctions.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/EmptyTensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/native/Resize.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/resize_native.h>
#include <ATen/ops/unfold_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>
#include <unistd.h>

#include <atomic>
#include <unordered_map>

namespace py = pybind11;
using at::Tensor;
using c10::Device, c10::DeviceIndex, c10::DeviceType, c10::DispatchKey, c10::DispatchKeySet;
using c10::IValue, c10::Storage, c10::StorageImpl, c10::Stream;

namespace {
const Device kHere(DeviceType::CUDA, 0);  // 하나뿐인 장치

// --- 메모리 ---

// CUDA를 쓴 프로세스에서 갈라진 자식은 CUDA를 쓸 수 없다.
void refuse_forked() {
  static const pid_t first = getpid();
  TORCH_CHECK(first == getpid(), "Cannot re-initialize CUDA in forked subprocess. Use the 'spawn' start method");
}

void check_ordinal(Device device) {
  TORCH_CHECK(device.index() <= 0, "CUDA error: invalid device ordinal");
}

struct Allocator final : c10::Allocator {
  c10::DataPtr allocate(size_t size) override {
    refuse_forked();
    if (size == 0) return {nullptr, nullptr, &c10::detail::deleteNothing, kHere};
    void* data = c10::GetCPUAllocator()->raw_allocate(size);
    memset(data, 0xCB, size);  // 채우지 않은 장치의 메모리는 0이 아니다
    return {data, data, c10::GetCPUAllocator()->raw_deleter(), kHere};
  }
  c10::DeleterFnPtr raw_deleter() const override { return nullptr; }
  void copy_data(void* to, const void* from, std::size_t size) const override { memcpy(to, from, size); }
} allocator;

struct Guard final : c10::impl::DeviceGuardImplInterface {
  DeviceType type() const override { return DeviceType::CUDA; }
  Device exchangeDevice(Device device) const override { return setDevice(device), kHere; }
  Device getDevice() const override { return kHere; }
  void setDevice(Device device) const override { check_ordinal(device); }
  void uncheckedSetDevice(Device) const noexcept override {}
  Stream getStream(Device device) const noexcept override { return Stream(Stream::UNSAFE, device, 0); }
  Stream getDefaultStream(Device device) const override { return getStream(device); }
  Stream getNewStream(Device device, int) const override { return getStream(device); }
  Stream exchangeStream(Stream stream) const noexcept override { return stream; }
  DeviceIndex deviceCount() const noexcept override { return 1; }
  void record(void**, const Stream&, const DeviceIndex, const c10::EventFlag) const override {}
  void block(void*, const Stream&) const override {}
  bool queryEvent(void*) const override { return true; }
  void destroyEvent(void*, const DeviceIndex) const noexcept override {}
  bool queryStream(const Stream&) const override { return true; }
  void synchronizeStream(const Stream&) const override {}
  void synchronizeEvent(void*) const override {}
  void recordDataPtrOnStream(const c10::DataPtr&, const Stream&) const override {}
};
c10::impl::DeviceGuardImplRegistrar guard(DeviceType::CUDA, new Guard());

// --- 발생기: 안의 CPU 발생기가 뽑지만, 같은 시드의 CPU 발생기와 다른 수를 준다 ---

struct Generator final : c10::GeneratorImpl {
  uint64_t seed_;
  at::Generator inner;
  explicit Generator(uint64_t seed = c10::default_rng_seed_val)
      : c10::GeneratorImpl(kHere, DispatchKeySet(DispatchKey::CUDA)),
        seed_(seed),
        inner(at::detail::createCPUGenerator(~seed)) {}
  void set_current_seed(uint64_t seed) override { inner.set_current_seed(~(seed_ = seed)); }
  uint64_t current_seed() const override { return seed_; }
  uint64_t seed() override { return set_current_seed(c10::detail::getNonDeterministicRandom(true)), seed_; }
  void set_offset(uint64_t) override {}
  uint64_t get_offset() const override { return 0; }
  void set_state(const c10::TensorImpl& state) override { inner.unsafeGetGeneratorImpl()->set_state(state); }
  c10::intrusive_ptr<c10::TensorImpl> get_state() const override { return inner.unsafeGetGeneratorImpl()->get_state(); }
  GeneratorImpl* clone_impl() const override {
    auto* made = new Generator(seed_);
    made->inner = inner.clone();
    return made;
  }
};

const at::Generator& default_generator() {
  static const at::Generator made = at::make_generator<Generator>();
  return made;
}
at::Generator inner_of(const at::Generator& generator) {
  return static_cast<Generator*>(generator.unsafeGetGeneratorImpl())->inner;
}
}  // namespace

namespace at {
struct SimulatedHooks final : CUDAHooksInterface {
  explicit SimulatedHooks(CUDAHooksArgs) {}
  void init() const override {}
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasCUDA() const override { return true; }
  bool hasCUDART() const override { return true; }
  bool hasPrimaryContext(DeviceIndex) const override { return true; }
  const Generator& getDefaultGenerator(DeviceIndex) const override { return default_generator(); }
  Generator getNewGenerator(DeviceIndex) const override { return make_generator<::Generator>(); }
  Device getDeviceFromPtr(void*) const override { return kHere; }
  DeviceIndex current_device() const override { return 0; }
  DeviceIndex deviceCount() const override { return 1; }
  void setCurrentDevice(DeviceIndex) const override {}
  DeviceIndex getCurrentDevice() const override { return 0; }
  DeviceIndex exchangeDevice(DeviceIndex) const override { return 0; }
  DeviceIndex maybeExchangeDevice(DeviceIndex) const override { return 0; }
  c10::Allocator* getPinnedMemoryAllocator() const override { return c10::GetCPUAllocator(); }
  c10::Allocator* getCUDADeviceAllocator() const override { return &allocator; }
  int getNumGPUs() const override { return 1; }
  void deviceSynchronize(DeviceIndex) const override {}
  std::string showConfig() const override { return "simulated"; }
};
C10_REGISTER_TYPED_CLASS(CUDAHooksRegistry, "CUDAHooks", SimulatedHooks)
}  // namespace at

namespace {
// --- 규칙과 세기 ---

enum : int { HAS_CUDA = 1, NO_CHECK = 2, WAITS = 4, ASSERTS = 8, MATMUL = 16, ROUNDS = 32 };  // rules.py와 같다
std::unordered_map<std::string, int> rules;
std::atomic<int> counting{0};
bool jitter = false;
PyObject* note = nullptr;  // note(kind, operator)

void event(const char* kind, const std::string& name) {
  if (counting == 0) return;
  py::gil_scoped_acquire held;
  py::error_scope kept;  // 던지던 오류를 잃지 않는다
  if (PyObject* answer = PyObject_CallFunction(note, "ss", kind, name.c_str())) Py_DECREF(answer);
  else PyErr_Print();
}

// --- 장치의 텐서와 CPU의 별명 ---

struct Call {
  std::vector<std::pair<StorageImpl*, Storage>> known;  // 별명의 저장소와 장치의 저장소
  std::vector<std::pair<Tensor, Tensor>> aliases;       // 장치의 텐서와 별명
  std::vector<Storage> kept;

  static Tensor wrap(const Storage& storage, DispatchKey key, const Tensor& like) {
    Tensor made = at::detail::make_tensor<c10::TensorImpl>(Storage(storage), DispatchKeySet(key), like.dtype());
    made.unsafeGetTensorImpl()->set_sizes_and_strides(like.sizes(), like.strides(), like.storage_offset());
    if (like.is_conj()) made._set_conj(true);
    if (like.is_neg()) made._set_neg(true);
    if (like.unsafeGetTensorImpl()->is_wrapped_number()) made.unsafeGetTensorImpl()->set_wrapped_number(true);
    return made;
  }
  // 같은 메모리를 가리키는 다른 장치의 저장소. 원래 저장소를 붙든다.
  static c10::intrusive_ptr<StorageImpl> share(const Storage& storage, Device device, c10::Allocator* owner) {
    auto drop = [](void* held) { delete static_cast<Storage*>(held); };
    c10::DataPtr data(const_cast<void*>(storage.data()), new Storage(storage), drop, device);
    return c10::make_intrusive<StorageImpl>(
        StorageImpl::use_byte_size_t(), storage.nbytes(), std::move(data), owner, true);
  }

  Tensor down(const Tensor& tensor) {
    if (!tensor.defined() || !tensor.is_cuda()) return tensor;
    TORCH_CHECK(tensor.layout() == c10::kStrided, "simulated: only strided tensors");
    c10::intrusive_ptr<StorageImpl> shared;
    for (auto& [alias, own] : known)
      if (own.unsafeGetStorageImpl() == tensor.storage().unsafeGetStorageImpl())
        shared = c10::intrusive_ptr<StorageImpl>::reclaim_copy(alias);
    if (!shared) {
      shared = share(tensor.storage(), Device(DeviceType::CPU), c10::GetCPUAllocator());
      known.emplace_back(shared.get(), tensor.storage());
    }
    Tensor alias = wrap(Storage(shared), DispatchKey::CPU, tensor);
    aliases.emplace_back(tensor, alias);
    return alias;
  }

  Tensor up(const Tensor& result) {
    if (!result.defined() || !result.is_cpu()) return result;
    for (auto& [own, alias] : aliases)
      if (alias.unsafeGetTensorImpl() == result.unsafeGetTensorImpl()) return own;
    return wrap(lift(result.storage()), DispatchKey::CUDA, result);
  }

  Storage lift(const Storage& storage) {
    for (auto& [alias, own] : known)  // 커널이 별명의 크기를 바꾸었으면 메모리가 다르다
      if (alias == storage.unsafeGetStorageImpl() && storage.data() == own.data()) return own;
    Storage made(share(storage, kHere, &allocator));
    kept.push_back(storage);
    known.emplace_back(storage.unsafeGetStorageImpl(), made);
    return made;
  }

  // 커널이 크기를 바꾼 out= 인자. 다른 텐서와 나누는 저장소일 수 있으므로 그 메모리만 바꾼다.
  void settle() {
    for (auto& [own, alias] : aliases) {
      const Storage from = alias.storage();
      if (from.data() != own.storage().data() || from.nbytes() != own.storage().nbytes()) {
        StorageImpl* storage = own.storage().unsafeGetStorageImpl();
        auto drop = [](void* held) { delete static_cast<Storage*>(held); };
        storage->set_data_ptr_noswap({const_cast<void*>(from.data()), new Storage(from), drop, kHere});
        storage->set_nbytes(from.nbytes());
      }
      if (own.sizes() != alias.sizes() || own.strides() != alias.strides() ||
          own.storage_offset() != alias.storage_offset())
        own.unsafeGetTensorImpl()->set_sizes_and_strides(alias.sizes(), alias.strides(), alias.storage_offset());
    }
  }
};

// 유한한 값을 한 자리 위나 아래로, 또는 그대로 둔다.
template <class T>
void shake(const Tensor& tensor) {
  static uint64_t state = 88172645463325252ULL;
  T* value = static_cast<T*>(tensor.data_ptr());
  for (int64_t i = 0; i < tensor.numel(); ++i) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    const T toward = state % 3 == 0 ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::infinity();
    if (state % 3 != 1 && std::isfinite(value[i]) && value[i] != 0) value[i] = std::nextafter(value[i], toward);
  }
}
void shake(const Tensor& tensor) {
  if (!tensor.defined() || !tensor.is_non_overlapping_and_dense()) return;
  if (tensor.scalar_type() == at::kFloat) shake<float>(tensor);
  if (tensor.scalar_type() == at::kDouble) shake<double>(tensor);
}

// --- 모든 연산 ---

struct Given {
  Tensor tensor;
  std::string argument;
  bool index;  // x[i]의 i
};

bool starts(const std::string& text, std::initializer_list<const char*> heads) {
  return std::any_of(heads.begin(), heads.end(), [&](const char* head) { return text.rfind(head, 0) == 0; });
}

// x[i] = v. x[i]는 torch가 색인을 먼저 번호로 풀어 장치로 옮기므로, 그 연산들이 이미 세었다.
bool puts(const std::string& name) { return starts(name, {"aten::_index_put_impl_"}); }

// 모두 한 장치에 있어야 한다. 숫자 하나와 색인은 CPU에 있어도 되는 연산이 있다.
void check_devices(const std::string& name, int rule, const std::vector<Given>& given) {
  for (const auto& [tensor, argument, index] : given) {
    if (!tensor.defined() || tensor.is_cuda() || tensor.is_meta()) continue;
    if (index) {
      if (tensor.dim() > 0 && puts(name)) event("copy", name);
      continue;
    }
    const bool strict = !(rule & NO_CHECK);
    if (!strict && tensor.dim() == 0) continue;
    TORCH_CHECK(!strict, "Expected all tensors to be on the same device, but got ", argument, " is on ", tensor.device(),
                ", different from other tensors on ", kHere, " (when checking argument in method wrapper_CUDA_", name, ")");
    TORCH_CHECK(false, "Expected all tensors to be on the same device, but found at least two devices, ", kHere, " and ",
                tensor.device(), "! (", name, ")");
  }
}

// 불리언 색인은 참의 수를 알아야 크기를 안다. 수 하나를 넣는 것은 masked_fill이라 기다리지 않는다.
bool waits_for_mask(const std::vector<Given>& given) {
  bool masked = false, fills = given.back().tensor.numel() == 1;
  for (const auto& [tensor, argument, index] : given) {
    if (!index || !tensor.defined()) continue;
    const bool mask = tensor.scalar_type() == at::kBool || tensor.scalar_type() == at::kByte;
    masked |= mask;
    fills &= mask;
  }
  return masked && !fills;
}

void fallback(const c10::OperatorHandle& op, DispatchKeySet, torch::jit::Stack* stack) {
  const auto& schema = op.schema();
  std::string name = schema.name();
  if (!schema.overload_name().empty()) name += "." + schema.overload_name();
  const auto found = rules.find(name);
  const int rule = found == rules.end() ? HAS_CUDA : found->second;
  TORCH_CHECK_NOT_IMPLEMENTED(rule & HAS_CUDA, "Could not run '", name, "' with arguments from the 'CUDA' backend");
  const size_t count = schema.arguments().size(), base = stack->size() - count;
  const bool copies = name == "aten::copy_" || name == "aten::_copy_from";
  const bool indexes = starts(name, {"aten::index.Tensor", "aten::_index_put_impl_", "aten::index_put", "aten::_unsafe_index"});

  // 무엇을 받았나
  std::vector<Given> given;
  std::optional<at::Generator> generator;
  bool here = false;
  for (size_t i = 0; i < count; ++i) {
    const IValue& value = (*stack)[base + i];
    const std::string& argument = schema.arguments()[i].name();
    if (value.isTensor()) given.push_back({value.toTensor(), argument, false});
    else if (value.isGenerator()) generator = value.toGenerator();
    else if (value.isDevice() && value.toDevice().is_cuda()) check_ordinal(value.toDevice()), here = true;
    else if (value.isList() && !value.isIntList() && !value.isDoubleList() && !value.isBoolList())
      for (const IValue& each : value.toListRef())
        if (each.isTensor()) given.push_back({each.toTensor(), argument, indexes && argument == "indices"});
  }
  bool whole = false;
  for (const auto& each : given)
    if (each.tensor.defined() && each.tensor.is_cuda()) {
      here = true;
      whole |= c10::isIntegralType(each.tensor.scalar_type(), true);
    }

  // 카드가 거부하는 것
  if (!copies) check_devices(name, rule, given);
  TORCH_CHECK(!generator || !generator->defined() || generator->device().is_cuda(),
              "Expected a 'cuda' device type for generator but found '", generator->device().type(), "'");
  TORCH_CHECK_NOT_IMPLEMENTED(!(rule & MATMUL) || !whole, "\"addmm_cuda\" not implemented for integers (", name, ")");

  // 세기
  const bool from_here = copies && given[0].tensor.is_cpu() && given[1].tensor.is_cuda();
  if (copies && given[0].tensor.is_cuda() && given[1].tensor.is_cpu()) event("copy", name);
  if (from_here || (rule & WAITS) || (puts(name) && waits_for_mask(given))) event("wait", name);

  // CPU로 내려가서
  Call call;
  for (size_t i = 0; i < count; ++i) {
    IValue& value = (*stack)[base + i];
    if (value.isTensor()) value = call.down(value.toTensor());
    else if (value.isTensorList()) {
      c10::List<Tensor> list;
      for (const Tensor& each : value.toTensorVector()) list.push_back(call.down(each));
      value = list;
    } else if (value.isOptionalTensorList()) {
      c10::List<std::optional<Tensor>> list;
      for (const auto& each : value.toOptionalTensorVector())
        list.push_back(each && each->defined() ? std::optional<Tensor>(call.down(*each)) : each);
      value = list;
    } else if (value.isGenerator()) value = inner_of(value.toGenerator());
    else if (value.isDevice() && value.toDevice().is_cuda()) value = Device(DeviceType::CPU);
    else if (value.isNone() && schema.arguments()[i].type()->str() == "Generator?") value = inner_of(default_generator());
  }
  try {
    at::AutoDispatchBelowADInplaceOrView below;
    op.redispatchBoxed(DispatchKeySet(DispatchKey::CPU), stack);
  } catch (c10::Error& error) {
    const std::string said = error.what_without_backtrace();
    for (const char* sign : {"out of range", "out of bounds", "should be between"})
      TORCH_CHECK(!(rule & ASSERTS) || said.find(sign) == std::string::npos,
                  "CUDA error: device-side assert triggered: ", said);
    throw;
  }
  call.settle();

  // 다시 올라온다
  const size_t results = schema.returns().size(), first = stack->size() - results;
  const bool lifts = here && !from_here;
  for (size_t i = 0; i < results; ++i) {
    IValue& value = (*stack)[first + i];
    if (value.isTensor()) {
      const Tensor result = value.toTensor();
      if (jitter && (rule & ROUNDS)) shake(result);
      if (lifts) value = call.up(result);
    } else if (value.isTensorList() && lifts) {
      c10::List<Tensor> list;
      for (const Tensor& each : value.toTensorVector()) list.push_back(call.up(each));
      value = list;
    }
  }
}

// --- 메모리를 만들거나 보는 법만 바꾸는 연산: CPU의 구현을 그대로 쓴다 ---

using Ints = c10::IntArrayRef;
template <class T>
using Maybe = std::optional<T>;
const DispatchKeySet kKeys(DispatchKey::CUDA);

Tensor empty(Ints size, Maybe<at::ScalarType> dtype, Maybe<at::Layout>, Maybe<Device> device, Maybe<bool>,
             Maybe<at::MemoryFormat> format) {
  check_ordinal(device.value_or(kHere));
  return at::detail::empty_generic(size, &allocator, kKeys, c10::dtype_or_default(dtype), format);
}
Tensor empty_strided(Ints size, Ints stride, Maybe<at::ScalarType> dtype, Maybe<at::Layout>, Maybe<Device> device,
                     Maybe<bool>) {
  check_ordinal(device.value_or(kHere));
  return at::detail::empty_strided_generic(size, stride, &allocator, kKeys, c10::dtype_or_default(dtype));
}
// 앞으로 미분(jvp)이 만드는, 메모리가 없는 0
Tensor zeros(Ints size, Maybe<at::ScalarType> dtype, Maybe<at::Layout> layout, Maybe<Device> device, Maybe<bool> pin) {
  Tensor made = empty(size, dtype, layout, device, pin, std::nullopt);
  if (made.numel()) memset(made.mutable_data_ptr(), 0, made.nbytes());
  return made;
}
Tensor as_strided(const Tensor& self, Ints size, Ints stride, Maybe<int64_t> offset) {
  return at::native::as_strided_tensorimpl(self, size, stride, offset);
}
Tensor view(const Tensor& self, Ints size) { return at::native::view(self, size); }
Tensor reshape_alias(const Tensor& self, Ints size, Ints stride) { return at::native::_reshape_alias(self, size, stride); }
Tensor unfold(const Tensor& self, int64_t dim, int64_t size, int64_t step) {
  return at::native::unfold(self, dim, size, step);
}
const Tensor& resize(const Tensor& self, Ints size, Maybe<at::MemoryFormat> format) {
  return at::native::resize_(self, size, format);
}
Tensor& set_view(Tensor& self, Storage storage, int64_t offset, Ints size, Ints stride) {
  return at::cpu::set_(self, std::move(storage), offset, size, stride);
}
Tensor& set_storage(Tensor& self, Storage storage) { return at::cpu::set_(self, std::move(storage)); }
Tensor& set_tensor(Tensor& self, const Tensor& other) {
  return at::cpu::set_(self, other.storage(), other.storage_offset(), other.sizes(), other.strides());
}

TORCH_LIBRARY_IMPL(_, CUDA, m) { m.fallback(torch::CppFunction::makeFromBoxedFunction<&fallback>()); }
TORCH_LIBRARY_IMPL(aten, CUDA, m) {
  m.impl("empty.memory_format", empty);
  m.impl("empty_strided", empty_strided);
  m.impl("_efficientzerotensor", zeros);
  m.impl("as_strided", as_strided);
  m.impl("view", view);
  m.impl("_reshape_alias", reshape_alias);
  m.impl("unfold", unfold);
  m.impl("resize_", resize);
  m.impl("set_.source_Storage_storage_offset", set_view);
  m.impl("set_.source_Storage", set_storage);
  m.impl("set_.source_Tensor", set_tensor);
  // 여러 연산으로 나뉘어 있지만 카드에서는 커널 하나인 것
  for (const char* name : {"copy_", "convolution", "convolution_backward"})
    m.impl(name, torch::CppFunction::makeFromBoxedFunction<&fallback>());
}
const bool allocates = (c10::SetAllocator(DeviceType::CUDA, &allocator), true);
}  // namespace

PYBIND11_MODULE(_simulated, m) {
  m.def("install", [](const std::unordered_map<std::string, int>& read, py::object function, bool shaken) {
    rules = read;
    note = function.release().ptr();
    jitter = shaken;
  });
  m.def("count", [](bool on) { counting += on ? 1 : -1; });
  m.def("default_generator", [] { return default_generator(); });
}
