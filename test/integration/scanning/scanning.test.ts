/** Scanning's configuration by the AWS SDK, and what is true of images while there is no scanner. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { PutRegistryScanningConfigurationCommandInput, RegistryScanningRule } from '@aws-sdk/client-ecr'
import { refusalsOfMissingImages } from '#test/support/about-an-image.ts'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { answerOf, type EcrSession, refusalOf, startEcrSession } from '#test/support/ecr-session.ts'
import { image } from '#test/support/images/build.ts'

const registryId = '000000000000'
const none: PutRegistryScanningConfigurationCommandInput = { scanType: 'BASIC', rules: [] }

const invalid = (member: string, constraint: string) => ({
  name: 'InvalidParameterException',
  message: `Invalid parameter at '${member}' failed to satisfy constraint: '${constraint}'`,
  status: 400,
})

function rule(scanFrequency: RegistryScanningRule['scanFrequency'], ...filters: string[]): RegistryScanningRule {
  return { scanFrequency, repositoryFilters: filters.map((filter) => ({ filter, filterType: 'WILDCARD' })) }
}

eachDatabaseInCi(({ dialect, url }) => {
  describe(`scanning by the SDK (${dialect})`, () => {
    let session: EcrSession
    before(async () => {
      session = await startEcrSession({ database: await url() })
    })
    after(() => session[Symbol.asyncDispose]())

    const configuration = async (client = session.ecr) =>
      (await client.getRegistryScanningConfiguration({})).scanningConfiguration
    const put = (input: PutRegistryScanningConfigurationCommandInput) =>
      session.ecr.putRegistryScanningConfiguration(input)

    test('a registry is basic and has no rules, and then exactly what was put', async () => {
      assert.deepEqual(await answerOf(session.ecr.getRegistryScanningConfiguration({})), {
        registryId,
        scanningConfiguration: none,
      })
      for (const given of [
        { scanType: 'ENHANCED', rules: [rule('SCAN_ON_PUSH', 'b*', 'a'), rule('CONTINUOUS_SCAN', '*')] },
        { scanType: 'ENHANCED', rules: [] },
        { scanType: 'BASIC', rules: [rule('SCAN_ON_PUSH', 'team/app', '*-prod')] },
        { scanType: 'BASIC', rules: [rule('SCAN_ON_PUSH')] },
        none,
      ] satisfies PutRegistryScanningConfigurationCommandInput[]) {
        assert.deepEqual(await answerOf(put(given)), { registryScanningConfiguration: given })
        assert.deepEqual(await configuration(), given)
      }
      assert.deepEqual(await answerOf(put({})), { registryScanningConfiguration: none })
    })

    test('rules that the type of scan does not have are refused, and leave what there was', async () => {
      const given = { scanType: 'BASIC', rules: [rule('SCAN_ON_PUSH', 'a')] } as const
      await put({ scanType: 'BASIC', rules: [rule('SCAN_ON_PUSH', 'a')] })
      for (const frequency of ['CONTINUOUS_SCAN', 'MANUAL'] as const) {
        assert.deepEqual(
          await refusalOf(put({ scanType: 'BASIC', rules: [rule(frequency, '*')] })),
          invalid('scanFrequency', 'must be one of [SCAN_ON_PUSH] when scanType is set as BASIC'),
        )
      }
      assert.deepEqual(
        await refusalOf(put({ scanType: 'ENHANCED', rules: [rule('MANUAL', '*')] })),
        invalid('scanFrequency', 'must be one of [SCAN_ON_PUSH, CONTINUOUS_SCAN] when scanType is set as ENHANCED'),
      )
      assert.deepEqual(
        await refusalOf(put({ scanType: 'ENHANCED', rules: [rule('SCAN_ON_PUSH', 'a'), rule('SCAN_ON_PUSH', 'b')] })),
        invalid('rules', 'must not have more than one rule with scanFrequency SCAN_ON_PUSH'),
      )
      const three = [rule('SCAN_ON_PUSH', 'a'), rule('SCAN_ON_PUSH', 'b'), rule('SCAN_ON_PUSH', 'c')]
      assert.deepEqual(
        await refusalOf(put({ scanType: 'BASIC', rules: three })),
        invalid('rules', 'Member must have length less than or equal to 2'),
      )
      const filters = (count: number) => Array.from({ length: count }, (_, index) => `filter-${index}`)
      assert.deepEqual(
        await refusalOf(put({ scanType: 'BASIC', rules: [rule('SCAN_ON_PUSH', ...filters(101))] })),
        invalid('repositoryFilters', 'Member must have length less than or equal to 100'),
      )
      assert.deepEqual(await configuration(), given)
      await put({ scanType: 'BASIC', rules: [rule('SCAN_ON_PUSH', ...filters(100))] })
    })

    test('of configurations that are put at once one wins whole', async () => {
      const given = Array.from({ length: 8 }, (_, index) => ({
        scanType: index % 2 === 0 ? ('BASIC' as const) : ('ENHANCED' as const),
        rules: [rule('SCAN_ON_PUSH', `only-${index}`, `also-${index}`)],
      }))
      await Promise.all(given.map(put))
      const won = await configuration()
      assert.ok(given.some((each) => JSON.stringify(each) === JSON.stringify(won)))
    })

    test("an account's configuration is its own, in each region", async () => {
      await put({ scanType: 'ENHANCED', rules: [] })
      const credentials = await session.server.addAccount('222222222222')
      assert.deepEqual(await configuration(session.client({ credentials })), none)
      assert.deepEqual(await configuration(session.client({ region: 'eu-west-1' })), none)
      await put(none)
    })

    test('the configuration of repositories is what flag and rules come to; a missing repository fails for itself', async () => {
      const [flagged, ruled, neither] = await Promise.all([
        session.repository(),
        session.repository(),
        session.repository(),
      ])
      const scanOnPush = { scanOnPush: true }
      assert.deepEqual(
        await answerOf(
          session.ecr.putImageScanningConfiguration({
            repositoryName: flagged,
            imageScanningConfiguration: scanOnPush,
          }),
        ),
        { registryId, repositoryName: flagged, imageScanningConfiguration: scanOnPush },
      )
      await put({ scanType: 'BASIC', rules: [rule('SCAN_ON_PUSH', ruled, 'elsewhere', `${ruled}*`)] })
      const repositoryNames = [neither, 'no/such', flagged, ruled, flagged]
      // The flag is the repository's own, and no rule changes it.
      const applied = (name: string, scanFrequency: string, ...filters: string[]) => ({
        repositoryArn: `arn:aws:ecr:us-east-1:${registryId}:repository/${name}`,
        repositoryName: name,
        scanOnPush: name === flagged,
        scanFrequency,
        appliedScanFilters: filters.map((filter) => ({ filter, filterType: 'WILDCARD' })),
      })
      const failures = [
        {
          repositoryName: 'no/such',
          failureCode: 'REPOSITORY_NOT_FOUND',
          failureReason: `The repository with name 'no/such' does not exist in the registry with id '${registryId}'`,
        },
      ]
      assert.deepEqual(await answerOf(session.ecr.batchGetRepositoryScanningConfiguration({ repositoryNames })), {
        scanningConfigurations: [
          applied(neither, 'MANUAL'),
          applied(flagged, 'SCAN_ON_PUSH'),
          applied(ruled, 'SCAN_ON_PUSH', ruled, `${ruled}*`),
        ],
        failures,
      })

      await put({ scanType: 'ENHANCED', rules: [rule('CONTINUOUS_SCAN', ruled)] })
      assert.deepEqual(
        (await session.ecr.batchGetRepositoryScanningConfiguration({ repositoryNames: [flagged, ruled] }))
          .scanningConfigurations,
        [applied(flagged, 'MANUAL'), applied(ruled, 'CONTINUOUS_SCAN', ruled)],
      )
      await put(none)
    })

    test('the flag of a repository is shown where the repository is, and can be taken back', async () => {
      const repositoryName = await session.repository({ imageScanningConfiguration: { scanOnPush: true } })
      const shown = async () =>
        (await session.ecr.describeRepositories({ repositoryNames: [repositoryName] })).repositories?.[0]
          ?.imageScanningConfiguration
      assert.deepEqual(await shown(), { scanOnPush: true })
      for (const [given, kept] of [
        [{ scanOnPush: false }, { scanOnPush: false }],
        [{ scanOnPush: true }, { scanOnPush: true }],
        [{}, { scanOnPush: false }],
      ]) {
        await session.ecr.putImageScanningConfiguration({ repositoryName, imageScanningConfiguration: given })
        assert.deepEqual(await shown(), kept)
      }
      const refused = await refusalOf(
        session.ecr.putImageScanningConfiguration({ repositoryName: 'no/such', imageScanningConfiguration: {} }),
      )
      assert.equal(refused.name, 'RepositoryNotFoundException')
    })

    test('an image has no scan, by its tag or its digest, and there is no scanner to make one', async () => {
      const repositoryName = await session.repository()
      const app = image()
      await session.push(repositoryName, app, 'v1')
      const where = `in the repository with name '${repositoryName}' in the registry with id '${registryId}'`
      for (const [imageId, digest, tag] of [
        [{ imageTag: 'v1' }, 'null', 'v1'],
        [{ imageDigest: app.digest }, app.digest, 'null'],
        [{ imageDigest: app.digest, imageTag: 'v1' }, app.digest, 'v1'],
      ] as const) {
        assert.deepEqual(await refusalOf(session.ecr.describeImageScanFindings({ repositoryName, imageId })), {
          name: 'ScanNotFoundException',
          message: `Image scan does not exist for the image with '{imageDigest:'${digest}', imageTag:'${tag}'}' ${where}`,
          status: 400,
        })
        assert.deepEqual(await refusalOf(session.ecr.startImageScan({ repositoryName, imageId })), {
          name: 'UnsupportedImageTypeException',
          message: `The image with digest '${app.digest}' ${where} cannot be scanned: this version of Lading has no scanner`,
          status: 400,
        })
      }
    })

    test('under enhanced scanning nobody starts a scan by hand, and of an archived image nobody at all', async () => {
      const repositoryName = await session.repository()
      await session.push(repositoryName, image(), 'v1')
      await put({ scanType: 'ENHANCED', rules: [rule('SCAN_ON_PUSH', '*')] })
      const imageId = { imageTag: 'v1' }
      assert.deepEqual(await refusalOf(session.ecr.startImageScan({ repositoryName, imageId })), {
        name: 'ValidationException',
        message: 'This feature is disabled',
        status: 400,
      })
      const findings = await refusalOf(session.ecr.describeImageScanFindings({ repositoryName, imageId }))
      assert.equal(findings.name, 'ScanNotFoundException')
      await session.ecr.updateImageStorageClass({ repositoryName, imageId, targetStorageClass: 'ARCHIVE' })
      const archived = await refusalOf(session.ecr.startImageScan({ repositoryName, imageId }))
      assert.equal(archived.name, 'ImageArchivedException')
      await put(none)
    })

    test('an image that is not there is refused as such', async () => {
      for (const call of [
        (request: Parameters<EcrSession['ecr']['startImageScan']>[0]) => session.ecr.startImageScan(request),
        (request: Parameters<EcrSession['ecr']['startImageScan']>[0]) => session.ecr.describeImageScanFindings(request),
      ]) {
        const { actual, expected } = await refusalsOfMissingImages(session, call)
        assert.deepEqual(actual, expected)
      }
    })
  })
})
