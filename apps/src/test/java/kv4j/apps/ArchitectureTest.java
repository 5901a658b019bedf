package kv4j.apps;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;

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

  /** Each package by itself: root packages too, which a pattern of names would not match. */
  @ArchTest
  static final ArchRule NO_CYCLES_OF_PACKAGES =
      slices()
          .assignedFrom(
              new SliceAssignment() {
                @Override
                public SliceIdentifier getIdentifierOf(JavaClass type) {
                  return SliceIdentifier.of(type.getPackageName());
                }

                @Override
                public String getDescription() {
                  return "every package";
                }
              })
          .should()
          .beFreeOfCycles();

  /** Text belongs to the model and to the programs; the engine deals in token ids. */
  @ArchTest
  static final ArchRule NO_TEXT_IN_INFERENCE =
      noClasses()
          .that()
          .resideInAPackage("kv4j.inference..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("kv4j.model.tokenizer..", "kv4j.model.chat..", "kv4j.model.jinja..")
          .orShould()
          .dependOnClassesThat()
          .haveFullyQualifiedName("kv4j.model.Tokenizer");

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
