package kv4j.apps;

import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Who may know whom: apps → inference → {model, cache}. */
@AnalyzeClasses(packages = "kv4j", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest
  static final ArchRule MODULES =
      layeredArchitecture()
          .consideringOnlyDependenciesInAnyPackage("kv4j..")
          .layer("apps")
          .definedBy("kv4j.apps..")
          .layer("inference")
          .definedBy("kv4j.inference..")
          .layer("model")
          .definedBy("kv4j.model..")
          .layer("cache")
          .definedBy("kv4j.cache..")
          .ensureAllClassesAreContainedInArchitecture()
          .whereLayer("apps")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("inference")
          .mayOnlyBeAccessedByLayers("apps")
          .whereLayer("model")
          .mayOnlyBeAccessedByLayers("apps", "inference")
          .whereLayer("cache")
          .mayOnlyBeAccessedByLayers("apps", "inference");

  @ArchTest
  static final ArchRule NO_CYCLES = slices().matching("kv4j.(*)..").should().beFreeOfCycles();
}
