import type { Registry } from '#names/registry.ts'
import type { RegistrySettings } from '#registry/settings.ts'
import {
  matchingProfiles,
  parseSigningRules,
  type SignableImage,
  type SigningRule,
  signingSetting,
} from './configuration.ts'
import { refuse } from './refusals.ts'

/** Signing as far as it goes without a signer: it keeps the rules and says which of them an image matches. */
export interface Signing {
  /** @throws Refusal `SigningConfigurationNotFound` */
  getRules(registry: Registry): Promise<readonly SigningRule[]>
  /** Replaces all rules. @throws Refusal `SigningProfileElsewhere` */
  putRules(registry: Registry, rules: readonly SigningRule[]): Promise<readonly SigningRule[]>
  /** Answers the rules that there were. @throws Refusal `SigningConfigurationNotFound` */
  deleteRules(registry: Registry): Promise<readonly SigningRule[]>
  /** The signing profiles of the rules that an image of the repository matches, each once. */
  profilesFor(registry: Registry, image: SignableImage): Promise<readonly string[]>
}

export function createSigning({ settings }: { settings: RegistrySettings }): Signing {
  return {
    async getRules(registry) {
      return present(registry, await settings.get(registry, signingSetting))
    },

    async putRules(registry, given) {
      const rules = parseSigningRules(registry, given)
      await settings.put(registry, signingSetting, rules)
      return rules
    },

    async deleteRules(registry) {
      return present(registry, await settings.delete(registry, signingSetting))
    },

    async profilesFor(registry, image) {
      return matchingProfiles((await settings.get(registry, signingSetting)) ?? [], image)
    },
  }
}

function present(registry: Registry, rules: readonly SigningRule[] | undefined): readonly SigningRule[] {
  if (rules === undefined) throw refuse('SigningConfigurationNotFound', { registry })
  return rules
}
