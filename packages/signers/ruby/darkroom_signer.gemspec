# frozen_string_literal: true

Gem::Specification.new do |gem|
  gem.name = 'darkroom_signer'
  gem.version = '1.0.0'
  gem.summary = 'Signed URLs of Darkroom images, without dependencies'
  gem.description = 'Signs URLs of images and of extensions as they are written; needs OpenSSL only.'
  gem.authors = ['Darkroom']
  gem.metadata = { 'rubygems_mfa_required' => 'true' }
  gem.license = 'MIT'
  gem.files = ['lib/darkroom_signer.rb']
  gem.required_ruby_version = '>= 3.1'
end
