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

  /** Each package by itself, those within packages too. */
  @ArchTest
  static final ArchRule NO_CYCLES_WITHIN_INFERENCE =
      slices().matching("kv4j.inference.(**)").should().beFreeOfCycles();

  /** The compiler knows the steps, and they the graph and what they run on; never the reverse. */
  @ArchTest
  static final ArchRule PLAN =
      layeredArchitecture()
          .consideringOnlyDependenciesInAnyPackage("kv4j.inference.plan..")
          .layer("compiler")
          .definedBy("kv4j.inference.plan")
          .layer("fused steps")
          .definedBy("kv4j.inference.plan.step")
          .layer("stock ops")
          .definedBy("kv4j.inference.plan.op")
          .layer("graph")
          .definedBy("kv4j.inference.plan.graph")
          .layer("run")
          .definedBy("kv4j.inference.plan.run")
          .whereLayer("compiler")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("fused steps")
          .mayOnlyBeAccessedByLayers("compiler")
          .whereLayer("stock ops")
          .mayOnlyBeAccessedByLayers("compiler")
          .whereLayer("graph")
          .mayOnlyBeAccessedByLayers("compiler", "fused steps", "stock ops");
}
