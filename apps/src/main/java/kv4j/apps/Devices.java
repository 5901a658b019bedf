package kv4j.apps;

import java.io.IOException;
import java.net.URL;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.Optional;
import org.nd4j.common.config.ND4JClassLoading;
import org.nd4j.linalg.factory.Nd4jBackend;

/** Chooses what ND4J computes on. Has to do so before ND4J starts. */
final class Devices {
  /** What the user asks for. */
  enum Choice {
    /** A usable GPU, or else the CPU. */
    AUTO,
    CPU,
    GPU
  }

  /**
   * A CUDA device.
   *
   * @param major of its compute capability
   * @param minor of its compute capability
   */
  record Gpu(int major, int minor) {
    /** ND4J's CUDA binary holds machine code for these, and none that could be compiled anew. */
    private static final int OLDEST = 37;

    private static final int NEWEST = 86;

    Gpu {
      if (major < 0 || minor < 0 || minor > 9) {
        throw new IllegalArgumentException("no compute capability: " + major + "." + minor);
      }
    }

    /** Why ND4J cannot run on it, if it cannot. */
    Optional<String> trouble() {
      int capability = 10 * major + minor;
      if (capability >= OLDEST && capability <= NEWEST) {
        return Optional.empty();
      }
      return Optional.of(
          "the GPU has compute capability %d.%d, and ND4J's CUDA 11.6 build runs on 3.7 to 8.6 only"
              .formatted(major, minor));
    }
  }

  private static final String CUDA_BACKEND = "org.nd4j.linalg.jcublas.JCublasBackend";
  private static final String CUDA_RUNTIME = "org.bytedeco.cuda.global.cudart";
  private static final String CUDA_JAR = "nd4j-cuda";
  private static final String BACKENDS = "META-INF/services/" + Nd4jBackend.class.getName();

  private Devices() {}

  /**
   * Makes ND4J start on the device asked for.
   *
   * @return {@code "gpu"} or {@code "cpu"}
   * @throws IllegalArgumentException with why, if it has to be a GPU and none is usable
   */
  static String select(Choice choice) {
    if (choice == Choice.CPU) {
      return useCpu();
    }
    Optional<String> trouble = gpuTrouble();
    if (trouble.isEmpty()) {
      return "gpu";
    }
    if (choice == Choice.GPU) {
      throw new IllegalArgumentException("--device gpu is not possible: " + trouble.get());
    }
    return useCpu();
  }

  /** ND4J takes the backend of highest priority that it finds, so it must not find CUDA's. */
  private static String useCpu() {
    ND4JClassLoading.setNd4jClassloader(new WithoutCuda(Devices.class.getClassLoader()));
    return "cpu";
  }

  private static Optional<String> gpuTrouble() {
    try {
      Class.forName(CUDA_BACKEND, false, Devices.class.getClassLoader());
    } catch (ClassNotFoundException e) {
      return Optional.of("this build has no GPU backend, which mvn -P cuda package adds");
    }
    try {
      Class<?> runtime = Class.forName(CUDA_RUNTIME);
      int[] count = new int[1];
      int status = (int) runtime.getMethod("cudaGetDeviceCount", int[].class).invoke(null, count);
      if (status != 0 || count[0] == 0) {
        return Optional.of("CUDA finds no GPU and driver");
      }
      return new Gpu(
              attribute(runtime, "cudaDevAttrComputeCapabilityMajor"),
              attribute(runtime, "cudaDevAttrComputeCapabilityMinor"))
          .trouble();
    } catch (ReflectiveOperationException | LinkageError e) {
      return Optional.of("the CUDA libraries cannot be loaded, perhaps for want of a driver");
    }
  }

  private static int attribute(Class<?> runtime, String name) throws ReflectiveOperationException {
    int[] value = new int[1];
    int attribute = runtime.getField(name).getInt(null);
    runtime
        .getMethod("cudaDeviceGetAttribute", int[].class, int.class, int.class)
        .invoke(null, value, attribute, 0);
    return value[0];
  }

  /** Hides the service entry of ND4J's CUDA backend. */
  private static final class WithoutCuda extends ClassLoader {
    WithoutCuda(ClassLoader parent) {
      super(parent);
    }

    @Override
    public Enumeration<URL> getResources(String name) throws IOException {
      Enumeration<URL> all = super.getResources(name);
      if (!name.equals(BACKENDS)) {
        return all;
      }
      List<URL> kept = new ArrayList<>();
      for (URL url : Collections.list(all)) {
        if (!url.toString().contains(CUDA_JAR)) {
          kept.add(url);
        }
      }
      return Collections.enumeration(kept);
    }
  }
}
